// Databases and containers: a few rows, kept in memory beside their tables.
import type { DatabaseSync } from 'node:sqlite';
import { badRequest, conflict, notFound } from '../errors.ts';
import { isJsonObject, type JsonObject, member } from '../json.ts';
import { type PartitionKeyDefinition, parsePartitionKeyDefinition } from '../partition/key.ts';
import type { PhysicalRange } from '../partition/physical.ts';
import { Capacity, type Throughput } from './capacity.ts';
import { containerDefinition, retentionOf, ttlOf, uniqueKeysOf } from './definition.ts';
import { containerRid, databaseRid } from './rid.ts';

export interface Database {
  number: number;
  id: string;
  rid: string;
  ts: number;
  containers: Map<string, Container>;
}

export interface Container {
  number: number;
  id: string;
  databaseId: string;
  databaseRid: string;
  rid: string;
  ts: number;
  partitionKey: PartitionKeyDefinition;
  /** Its physical partitions, in the order of the hash range. */
  ranges: PhysicalRange[];
  /** Undefined: as much as the machine gives, as in a serverless account. */
  throughput: Throughput | undefined;
  /** Seconds; -1 means "only items with their own ttl"; undefined switches expiry off. */
  defaultTtl: number | undefined;
  /** The paths of each unique key. */
  uniqueKeys: string[][];
  /** How long every version is kept for the feed of all versions; 0 = not at all. */
  retentionMinutes: number;
  /** What the client sent, answered again on read. */
  definition: JsonObject;
  /** The last committed or pending change number. */
  lsn: number;
  /** The last one that is on disk: what a client may be told that it has seen. */
  durableLsn: number;
}

type Stored = Pick<Container, 'number' | 'definition' | 'ts' | 'lsn' | 'ranges' | 'throughput'>;

export class Catalog {
  readonly databases = new Map<string, Database>();
  readonly capacity: Capacity;
  readonly #sqlite: DatabaseSync;
  readonly #now: () => number;

  constructor(sqlite: DatabaseSync, now: () => number, partitions: number) {
    this.#sqlite = sqlite;
    this.capacity = new Capacity(sqlite, partitions);
    this.#now = now;
    for (const row of sqlite.prepare('SELECT number, id, ts FROM databases').all()) {
      this.#addDatabase(Number(row.number), String(row.id), Number(row.ts));
    }
    const containers = sqlite.prepare(
      'SELECT c.*, d.id AS databaseId FROM containers c JOIN databases d ON d.number = c.database',
    );
    for (const row of containers.all()) {
      const definition: unknown = JSON.parse(String(row.definition));
      if (!isJsonObject(definition)) continue;
      const database = this.database(String(row.databaseId));
      const number = Number(row.number);
      const capacity = this.capacity.load(number, parsePartitionKeyDefinition(definition.partitionKey));
      this.#addContainer(database, { number, definition, ts: Number(row.ts), lsn: Number(row.lsn), ...capacity });
    }
  }

  database(id: string): Database {
    const found = this.databases.get(id);
    if (!found) throw notFound(`Database ${id} does not exist.`);
    return found;
  }

  container(databaseId: string, id: string): Container {
    const found = this.database(databaseId).containers.get(id);
    if (!found) throw notFound(`Container ${id} does not exist in database ${databaseId}.`);
    return found;
  }

  /** The containers whose every version is kept for a while. */
  keepingVersions(): Container[] {
    const all = [...this.databases.values()].flatMap(({ containers }) => [...containers.values()]);
    return all.filter(({ retentionMinutes }) => retentionMinutes > 0);
  }

  createDatabase(id: string): Database {
    checkName(id);
    if (this.databases.has(id)) throw conflict();
    const ts = this.#seconds();
    const { lastInsertRowid } = this.#sqlite.prepare('INSERT INTO databases (id, ts) VALUES (?, ?)').run(id, ts);
    return this.#addDatabase(Number(lastInsertRowid), id, ts);
  }

  deleteDatabase(id: string): void {
    const { number } = this.database(id);
    this.#sqlite.prepare('DELETE FROM databases WHERE number = ?').run(number);
    this.databases.delete(id);
  }

  createContainer(databaseId: string, sent: JsonObject, throughput?: Throughput): Container {
    const database = this.database(databaseId);
    const id = member(sent, 'id');
    if (typeof id !== 'string') throw badRequest('A container needs an id.');
    checkName(id);
    if (database.containers.has(id)) throw conflict();
    const definition = containerDefinition(sent);
    const ts = this.#seconds();
    const { lastInsertRowid } = this.#sqlite
      .prepare('INSERT INTO containers (database, id, definition, ts) VALUES (?, ?, ?, ?)')
      .run(database.number, id, JSON.stringify(definition), ts);
    const number = Number(lastInsertRowid);
    const capacity = this.capacity.create(number, parsePartitionKeyDefinition(definition.partitionKey), throughput);
    return this.#addContainer(database, { number, definition, ts, lsn: 0, ...capacity });
  }

  replaceContainer(container: Container, sent: JsonObject): void {
    const { uniqueKeyPolicy } = container.definition;
    const definition = containerDefinition({ ...(uniqueKeyPolicy && { uniqueKeyPolicy }), ...sent });
    const partitionKey = parsePartitionKeyDefinition(definition.partitionKey);
    if (JSON.stringify(partitionKey) !== JSON.stringify(container.partitionKey)) {
      throw badRequest('The partition key of a container cannot be changed.');
    }
    if (JSON.stringify(uniqueKeysOf(definition)) !== JSON.stringify(container.uniqueKeys)) {
      throw badRequest('The unique keys of a container cannot be changed.');
    }
    const ts = this.#seconds();
    this.#sqlite
      .prepare('UPDATE containers SET definition = ?, ts = ? WHERE number = ?')
      .run(JSON.stringify(definition), ts, container.number);
    const defaultTtl = ttlOf(definition);
    const isSame = defaultTtl === container.defaultTtl;
    Object.assign(container, { definition, ts, defaultTtl, retentionMinutes: retentionOf(definition) });
    if (isSame) return;
    // An item's own ttl wins over the container's; without a container default nothing expires.
    this.#sqlite
      .prepare(
        `UPDATE items SET expires = CASE
           WHEN ?1 IS NULL OR coalesce(json_extract(body, '$.ttl'), ?1) < 0 THEN NULL
           ELSE (ts + coalesce(json_extract(body, '$.ttl'), ?1)) * 1000 END
         WHERE container = ?2`,
      )
      .run(container.defaultTtl ?? null, container.number);
  }

  deleteContainer(container: Container): void {
    this.#sqlite.prepare('DELETE FROM containers WHERE number = ?').run(container.number);
    this.database(container.databaseId).containers.delete(container.id);
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000);
  }

  #addDatabase(number: number, id: string, ts: number): Database {
    const database: Database = { number, id, rid: databaseRid(number), ts, containers: new Map() };
    this.databases.set(id, database);
    return database;
  }

  #addContainer(database: Database, stored: Stored): Container {
    const { number, definition } = stored;
    const container: Container = {
      ...stored,
      id: String(definition.id),
      databaseId: database.id,
      databaseRid: database.rid,
      rid: containerRid(database.number, number),
      partitionKey: parsePartitionKeyDefinition(definition.partitionKey),
      durableLsn: stored.lsn,
      defaultTtl: ttlOf(definition),
      uniqueKeys: uniqueKeysOf(definition),
      retentionMinutes: retentionOf(definition),
    };
    database.containers.set(container.id, container);
    return container;
  }
}

function checkName(id: string): void {
  if (id === '' || id.length > 255 || /[/\\?#]|\s$/.test(id)) {
    throw badRequest(`"${id}" is no valid id: it must be 1 to 255 characters without / \\ ? #.`);
  }
}
