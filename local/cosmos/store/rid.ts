// Resource ids: 4 bytes for a database, 8 for a container, 16 for an item; the client checks the container's length.

export function databaseRid(database: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(database);
  return encode(bytes);
}

export function containerRid(database: number, container: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(database);
  bytes.writeUInt32BE((container | 0x80000000) >>> 0, 4);
  return encode(bytes);
}

export function itemRid(container: string, item: number): string {
  const bytes = Buffer.alloc(16);
  decode(container).copy(bytes);
  // The client compares this part as a little-endian number.
  bytes.writeBigUInt64LE(BigInt(item), 8);
  return encode(bytes);
}

// '/' cannot stand in a resource link, so Cosmos DB writes '-' in its place.
const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('/', '-');
const decode = (rid: string) => Buffer.from(rid.replaceAll('-', '/'), 'base64');
