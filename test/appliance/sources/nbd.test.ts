// The client against Debian's servers: what qemu-nbd and nbdkit show is read to the byte, and their faults are borne.
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectNbd } from '../../../appliance/nbd/connect.ts';
import { parseNbdUri } from '../../../appliance/nbd/uri.ts';
import { dirtyBitmap } from '../../../appliance/nbd/wire.ts';
import { openNbd } from '../../../appliance/sources/nbd.ts';
import { openSource } from '../../../appliance/sources/open.ts';
import type { DiskSource, Extent } from '../../../appliance/sources/source.ts';
import { ensurePki } from '../../../local/pki.ts';
import { accepts, freePort, nbdkit, qemuNbd, run, serve } from '../nbd/servers.ts';

const MIB = 2 ** 20;
const forEver = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'nbd-'));
const raw = join(folder, 'disk.img');
// Data at both ends and in the middle, holes between.
const content = Buffer.alloc(8 * MIB);
const ends: (() => Promise<void>)[] = [];
let sockets = 0;
const socket = (): string => join(folder, `s${++sockets}`);

beforeAll(() => {
  for (const at of [0, 3 * MIB + 512, 8 * MIB - 100_000]) content.set(randomBytes(100_000), at);
  writeFileSync(raw, content);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function open(uri: string, options: Parameters<typeof openNbd>[1] = {}): Promise<DiskSource> {
  const source = await openNbd(uri, options);
  ends.push(() => source.close());
  return source;
}

async function started<T extends { stop(): Promise<void> }>(server: Promise<T>): Promise<T> {
  const running = await server;
  ends.push(running.stop);
  return running;
}

/** Everything, in reads of odd sizes that are all in flight at once. */
async function readAll(source: DiskSource): Promise<Buffer> {
  const all = Buffer.alloc(source.sizeBytes);
  const reads: Promise<void>[] = [];
  for (let at = 0; at < all.length; at += 777_777) reads.push(source.read(at, all.subarray(at, at + 777_777), forEver));
  await Promise.all(reads);
  return all;
}

async function extentsOf(source: DiskSource): Promise<Extent[]> {
  const found: Extent[] = [];
  for await (const extent of source.extents?.({ start: 0, stop: source.sizeBytes }, forEver) ?? []) found.push(extent);
  return found;
}

it.each([
  ['qcow2', true],
  ['vmdk', true],
  // QEMU does not tell what is empty in a VHDX: all of it is read.
  ['vhdx', false],
] as const)('reads a disk in %s through qemu-nbd, and knows where it is empty', async (format, tellsEmpty) => {
  const image = join(folder, `disk.${format}`);
  run('qemu-img', 'convert', '-f', 'raw', '-O', format, raw, image);
  const { uri } = await started(qemuNbd(socket(), image, `--format=${format}`));
  const source = await open(uri);
  expect(source.sizeBytes).toBe(content.length);
  expect((await readAll(source)).equals(content)).toBe(true);
  const extents = await extentsOf(source);
  expect(extents.map(({ start }) => start)).toEqual([0, ...extents.slice(0, -1).map(({ stop }) => stop)]);
  expect(extents.at(-1)?.stop).toBe(content.length);
  const empty = extents.filter(({ zero }) => zero);
  expect(empty.length > 0).toBe(tellsEmpty);
  for (const { start, stop } of empty) expect(content.subarray(start, stop).every((byte) => byte === 0)).toBe(true);
});

it('tells the dirty ranges of a persistent bitmap', async () => {
  const image = join(folder, 'bitmap.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, image);
  run('qemu-img', 'bitmap', '--add', '-g', '64K', image, 'since');
  run('qemu-io', '-c', 'write -P 7 1M 4K', '-c', 'write -P 7 5000K 100K', image);
  const { uri } = await started(qemuNbd(socket(), image, '--format=qcow2', '--bitmap=since'));
  const name = `${dirtyBitmap.prefix}since`;
  const connection = await connectNbd(parseNbdUri(uri), { contexts: [name, 'qemu:dirty-bitmap:other'] });
  expect([...connection.export.contexts.values()]).toEqual([name]);
  const answer = (await connection.blockStatus(0, 8 * MIB, forEver)).get(name) ?? [];
  connection.close();
  let at = 0;
  const dirty = answer.flatMap(({ length, flags }) => {
    at += length;
    return flags === dirtyBitmap.dirty ? [[at - length, at]] : [];
  });
  expect(dirty).toEqual([
    [MIB, MIB + 65_536],
    [78 * 65_536, 80 * 65_536],
  ]);
});

it('a disk whose size is no multiple of anything is read to its last byte', async () => {
  const odd = join(folder, 'odd.img');
  writeFileSync(odd, content.subarray(0, 3 * MIB + 12_345));
  const { uri } = await started(nbdkit(socket(), 'file', odd));
  const source = await open(uri);
  expect((await readAll(source)).equals(content.subarray(0, 3 * MIB + 12_345))).toBe(true);
});

it('keeps to the block sizes that a server asks for', async () => {
  const { uri } = await started(
    nbdkit(
      socket(),
      '--filter=blocksize-policy',
      'file',
      raw,
      'blocksize-minimum=4096',
      'blocksize-preferred=4096',
      'blocksize-maximum=65536',
      'blocksize-error-policy=error',
    ),
  );
  expect((await readAll(await open(uri))).equals(content)).toBe(true);
});

it('an error that passes is asked again, one that stays fails with what the server says', async () => {
  const trigger = join(folder, 'errors');
  const { uri } = await started(
    nbdkit(
      socket(),
      '--filter=error',
      'file',
      raw,
      'error-pread=EIO',
      'error-pread-rate=100%',
      `error-pread-file=${trigger}`,
    ),
  );
  const retries: string[] = [];
  const patience = {
    firstMs: 5,
    onRetry({ message }: Error) {
      retries.push(message);
      if (retries.length === 2) unlinkSync(trigger);
    },
  };
  const source = await open(uri, { patience });
  writeFileSync(trigger, '');
  const buffer = Buffer.alloc(4096);
  await source.read(0, buffer, forEver);
  expect(buffer.equals(content.subarray(0, 4096))).toBe(true);
  expect(retries).toEqual(['input/output error', 'input/output error']);

  writeFileSync(trigger, '');
  await expect(source.read(0, buffer, forEver)).rejects.toMatchObject({
    code: 'diskUnreadable',
    message: expect.stringContaining('input/output error') as string,
  });
  unlinkSync(trigger);
});

it('a slow server is asked for several things at once', async () => {
  const { uri } = await started(nbdkit(socket(), '--filter=delay', 'file', raw, 'rdelay=300ms'));
  const source = await open(uri);
  const began = performance.now();
  expect((await readAll(source)).equals(content)).toBe(true);
  // Eleven reads, one after the other, would take more than three seconds.
  expect(performance.now() - began).toBeLessThan(2500);
});

it('a server that dies in the middle of its answers is asked again when it is back', async () => {
  const path = socket();
  const first = await started(nbdkit(path, '--filter=delay', 'file', raw, 'rdelay=200ms'));
  const source = await open(first.uri, { patience: { firstMs: 10 } });
  const reading = readAll(source);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await first.stop();
  unlinkSync(path);
  await started(nbdkit(path, 'file', raw));
  expect((await reading).equals(content)).toBe(true);
});

it('a server that stays away is waited for as long as patience lasts', async () => {
  const server = await nbdkit(socket(), 'file', raw);
  const source = await open(server.uri, { patience: { firstMs: 10, forMs: 100 } });
  await server.stop();
  await expect(source.read(0, Buffer.alloc(512), forEver)).rejects.toMatchObject({ code: 'diskUnreadable' });
});

it('a disk that comes back with another size is refused', async () => {
  const path = socket();
  const grown = join(folder, 'grown.img');
  copyFileSync(raw, grown);
  const first = await nbdkit(path, 'file', grown);
  const source = await open(first.uri, { patience: { firstMs: 10 } });
  await source.checkSize();
  await first.stop();
  unlinkSync(path);
  truncateSync(grown, 9 * MIB);
  await started(nbdkit(path, 'file', grown));
  const refused = {
    code: 'diskSizeChanged',
    message: expect.stringContaining(`has ${9 * MIB} bytes, and ${8 * MIB}`) as string,
  };
  await expect(source.read(0, Buffer.alloc(512), forEver)).rejects.toMatchObject(refused);
  await expect(source.checkSize()).rejects.toMatchObject(refused);
});

it('what cannot be opened says what was tried and what to do', async () => {
  const { uri } = await started(qemuNbd(socket(), raw, '--format=raw', '--export-name=disk'));
  await expect(openSource(uri)).rejects.toMatchObject({
    code: 'diskUnreadable',
    message: expect.stringContaining('it has no such export') as string,
  });
  await expect(openSource(`nbd://127.0.0.1:${await freePort()}/x`)).rejects.toMatchObject({
    code: 'diskUnreadable',
    message: expect.stringMatching(/NBD export "x" at 127\.0\.0\.1:\d+: connect ECONNREFUSED/) as string,
  });
  await expect(openSource('nbd:///x')).rejects.toMatchObject({
    message: "The disk's address nbd:///x is wrong: the host is missing.",
  });
});

it('speaks TLS with servers that ask for it, and only with those whose certificate is theirs', async () => {
  const [own, foreign] = [join(folder, 'own'), join(folder, 'foreign')];
  for (const place of [own, foreign]) {
    const { ca, cert, key } = await ensurePki(undefined);
    mkdirSync(place);
    for (const [name, pem] of Object.entries({ 'ca-cert': ca, 'server-cert': cert, 'server-key': key }))
      writeFileSync(join(place, `${name}.pem`), pem);
  }
  const ports = [await freePort(), await freePort()] as const;
  const answers = (port: number) => accepts({ host: '127.0.0.1', port });
  const tcp = (port: number) => ['--ipaddr=127.0.0.1', `--port=${port}`];
  await started(
    serve(
      'nbdkit',
      ['--foreground', '--readonly', ...tcp(ports[0]), '--tls=require', `--tls-certificates=${own}`, 'file', raw],
      answers(ports[0]),
    ),
  );
  const creds = `tls-creds-x509,id=tls,dir=${own},endpoint=server,verify-peer=no`;
  const bind = ['--bind=127.0.0.1', `--port=${ports[1]}`];
  await started(
    serve(
      'qemu-nbd',
      [
        '--persistent',
        '--shared=8',
        '--read-only',
        ...bind,
        '--format=raw',
        `--object=${creds}`,
        '--tls-creds=tls',
        raw,
      ],
      answers(ports[1]),
    ),
  );
  const secure = (port: number, place: string, rest = '') =>
    `nbds://127.0.0.1:${port}/?tls-certificates=${place}${rest}`;
  for (const port of ports) {
    expect((await readAll(await open(secure(port, own)))).equals(content)).toBe(true);
    await open(secure(port, own, '&tls-hostname=localhost'));
    await open(secure(port, foreign, '&tls-verify-peer=0'));
    await expect(openNbd(secure(port, foreign))).rejects.toThrow('TLS failed');
    await expect(openNbd(secure(port, own, '&tls-hostname=other.example'))).rejects.toThrow('TLS failed');
    await expect(openNbd(`nbd://127.0.0.1:${port}/`)).rejects.toThrow('it wants TLS');
  }
});
