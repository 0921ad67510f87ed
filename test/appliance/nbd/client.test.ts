import { afterEach, expect, it } from 'vitest';
import { connectNbd, listContexts } from '../../../appliance/nbd/connect.ts';
import { NbdError, NbdLost, NbdRefused, NbdViolation } from '../../../appliance/nbd/wire.ts';
import { ack, bytes, chunk, content, data, greeting, optionReply, type Script, scripted, simple } from './scripted.ts';

const { u16, u32, u64 } = bytes;
const forEver = new AbortController().signal;
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function opened(script: Script, contexts = ['base:allocation']) {
  const server = await scripted(script);
  stops.push(server.stop);
  const connection = await connectNbd(server.address, { contexts, withinMs: 2000, silenceMs: 500 });
  stops.push(async () => connection.close());
  return connection;
}

async function read(script: Script, offset = 4096, length = 8192): Promise<Buffer> {
  const connection = await opened(script);
  const buffer = Buffer.alloc(length);
  await connection.read(offset, buffer, forEver);
  return buffer;
}

it('reads what the server has, with and without structured replies', async () => {
  expect(await read({})).toEqual(content(4096, 8192));
  expect(await read({ structured: false })).toEqual(content(4096, 8192));
});

it('puts together data that comes in pieces, out of order and with holes', async () => {
  const script: Script = {
    answer: ({ cookie, offset }) =>
      Buffer.concat([
        chunk(cookie, 1, Buffer.concat([u64(offset + 4096n), content(1, 4096)]), 0),
        chunk(cookie, 2, Buffer.concat([u64(offset), u32(4096)]), 0),
        chunk(cookie, 0, Buffer.alloc(0)),
      ]),
  };
  expect(await read(script)).toEqual(Buffer.concat([Buffer.alloc(4096), content(1, 4096)]));
});

it('has several commands in flight, which may be answered in any order', async () => {
  const kept: Buffer[] = [];
  const connection = await opened({
    answer(request, socket) {
      kept.unshift(data(request));
      if (kept.length === 3) socket.write(Buffer.concat(kept));
      return Buffer.alloc(0);
    },
  });
  const buffers = [0, 1000, 2000].map(() => Buffer.alloc(512));
  await Promise.all(buffers.map((buffer, index) => connection.read(index * 1000, buffer, forEver)));
  expect(buffers).toEqual([0, 1000, 2000].map((offset) => content(offset, 512)));
});

it('an error of one command leaves the others alone, and says where and why', async () => {
  const message = Buffer.from('bad \x1bsector');
  const connection = await opened({
    answer: ({ cookie, offset, index }) =>
      index === 0
        ? Buffer.concat([
            chunk(cookie, 0x8002, Buffer.concat([u32(5), u16(message.length), message, u64(offset + 7n)]), 0),
            chunk(cookie, 0, Buffer.alloc(0)),
          ])
        : undefined,
  });
  const failed = connection.read(512, Buffer.alloc(512), forEver);
  await expect(failed).rejects.toThrow('input/output error: at byte 519 bad ?sector');
  await expect(failed).rejects.toBeInstanceOf(NbdError);
  const buffer = Buffer.alloc(512);
  await connection.read(0, buffer, forEver);
  expect(buffer).toEqual(content(0, 512));
});

it('a command that is given up does not touch its memory any more, and the connection goes on', async () => {
  const late = Promise.withResolvers<void>();
  const connection = await opened({
    async answer(request) {
      if (request.index === 0) await late.promise;
      return undefined;
    },
  });
  const abort = new AbortController();
  const buffer = Buffer.alloc(512, 9);
  const given = connection.read(0, buffer, abort.signal);
  abort.abort(new Error('given up'));
  await expect(given).rejects.toThrow('given up');
  late.resolve();
  await connection.read(0, Buffer.alloc(512), forEver);
  expect(buffer).toEqual(Buffer.alloc(512, 9));
});

it('tells block status by context, cut to what was asked', async () => {
  const contexts = ['base:allocation', 'qemu:dirty-bitmap:b'];
  const connection = await opened(
    {
      contexts,
      answer: ({ cookie }) =>
        Buffer.concat([
          chunk(cookie, 5, Buffer.concat([u32(2), u32(4096), u32(1)]), 0),
          chunk(cookie, 5, Buffer.concat([u32(1), u32(4096), u32(0), u32(65_536), u32(3)]), 1),
        ]),
    },
    contexts,
  );
  expect([...(await connection.blockStatus(0, 8192, forEver))]).toEqual([
    ['qemu:dirty-bitmap:b', [{ length: 4096, flags: 1 }]],
    [
      'base:allocation',
      [
        { length: 4096, flags: 0 },
        { length: 4096, flags: 3 },
      ],
    ],
  ]);
});

it('lists the contexts that a server has', async () => {
  const server = await scripted({ contexts: ['qemu:dirty-bitmap:a', 'qemu:dirty-bitmap:b'] });
  stops.push(server.stop);
  expect(await listContexts(server.address, 'qemu:dirty-bitmap:')).toEqual([
    'qemu:dirty-bitmap:a',
    'qemu:dirty-bitmap:b',
  ]);
});

const oddBlocks = optionReply(7, 3, Buffer.concat([u16(3), u32(513), u32(4096), u32(1 << 20)]));
const negotiationLies: [string, Script, string][] = [
  ['another protocol', { greeting: Buffer.from('SSH-2.0-OpenSSH_9.2p1') }, 'does not speak NBD'],
  ['the oldstyle', { greeting: Buffer.concat([Buffer.from('NBDMAGIC'), u64(0x420281861253n), u16(0)]) }, 'oldstyle'],
  ['no fixed newstyle', { greeting: greeting(2) }, 'fixed newstyle'],
  ['an answer to another option', { option: () => ack(3) }, 'answers option 8 with something else'],
  ['a wrong magic', { option: () => Buffer.alloc(20, 1) }, 'answers option 8 with something else'],
  ['an acknowledgement with data', { option: (code) => optionReply(code, 1, Buffer.alloc(4)) }, '4 bytes too many'],
  [
    'a reply of 4 GB',
    { option: (code) => Buffer.concat([ack(code).subarray(0, 16), u32(0xffff_ffff)]) },
    '4294967295 bytes',
  ],
  [
    'replies without end',
    { option: (code) => Buffer.concat(Array(30).fill(optionReply(code, 4, Buffer.alloc(50_000, 1)))) },
    'without end',
  ],
  ['a context that nobody wants', { contexts: ['base:other'] }, 'selects the context base:other'],
  ['a context twice', { contexts: ['base:allocation', 'base:allocation'] }, 'selects a context twice'],
  ['no size', { option: (code) => (code === 7 ? ack(7) : undefined) }, 'does not tell its size'],
  ['a size beyond reason', { size: 1n << 60n }, 'impossible size'],
  [
    'a block size that is no power of two',
    {
      option: (code) => (code === 7 ? Buffer.concat([oddBlocks, ack(7)]) : undefined),
    },
    'impossible block sizes',
  ],
];

it.each(negotiationLies)('a server that greets with %s is not believed', async (_title, script, message) => {
  const failed = opened(script);
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toBeInstanceOf(NbdViolation);
});

it.each([
  [7, 6, 'it has no such export'],
  [7, 5, 'it wants TLS'],
  [7, 1, 'does not know NBD_OPT_GO'],
] as const)('a server that refuses option %i with %i is understood', async (code, reason, message) => {
  const failed = opened({ option: (asked) => (asked === code ? optionReply(code, 0x8000_0000 + reason) : undefined) });
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toBeInstanceOf(NbdRefused);
});

const lies: [string, NonNullable<Script['answer']>, string][] = [
  ['bytes that begin no reply', () => u32(0xdeadbeef), 'deadbeef, which begins no reply'],
  ['a reply to nothing', (request) => data({ ...request, cookie: 77n }), 'a command that was not sent'],
  ['a reply to everything twice', (request) => Buffer.concat([data(request, 0), data(request, 1)]), 'twice'],
  [
    'bytes before what was asked',
    (request) => data({ ...request, offset: request.offset - 512n, length: 512 }),
    'not asked for',
  ],
  ['bytes after what was asked', (request) => data({ ...request, length: request.length + 1 }), 'not asked for'],
  [
    'bytes at an impossible place',
    (request) => chunk(request.cookie, 1, Buffer.concat([u64(1n << 63n), u64(0)])),
    'not asked for',
  ],
  ['no bytes', ({ cookie, offset }) => chunk(cookie, 1, u64(offset)), 'a chunk of 8 bytes'],
  ['too few bytes', (request) => data({ ...request, length: 512 }), '512 of 8192 bytes'],
  ['nothing', ({ cookie }) => chunk(cookie, 0, Buffer.alloc(0)), '0 of 8192 bytes'],
  ['an empty chunk that is not empty', ({ cookie }) => chunk(cookie, 0, Buffer.alloc(4)), 'neither empty nor the last'],
  [
    'an empty chunk that is not the last',
    ({ cookie }) => chunk(cookie, 0, Buffer.alloc(0), 0),
    'neither empty nor the last',
  ],
  [
    'a hole without length',
    ({ cookie, offset }) => chunk(cookie, 2, Buffer.concat([u64(offset), u32(0)])),
    'not asked for',
  ],
  ['a hole of a wrong form', ({ cookie, offset }) => chunk(cookie, 2, u64(offset)), 'a hole in 8 bytes'],
  ['block status', ({ cookie }) => chunk(cookie, 5, Buffer.alloc(12)), 'with a chunk of type 5'],
  ['flags of tomorrow', ({ cookie }) => chunk(cookie, 0, Buffer.alloc(0), 3), 'flags that nobody agreed upon'],
  ['a simple reply', ({ cookie, length }) => simple(cookie, 0, Buffer.alloc(length)), 'with a simple reply'],
  ['an error without a number', ({ cookie }) => chunk(cookie, 0x8001, Buffer.alloc(6)), 'without a number'],
  [
    'an error that is cut off',
    ({ cookie }) => chunk(cookie, 0x8001, Buffer.concat([u32(5), u16(9)])),
    'another length',
  ],
  [
    'an error elsewhere',
    ({ cookie }) => chunk(cookie, 0x8002, Buffer.concat([u32(5), u16(0), u64(9999999)])),
    'at byte 9999999',
  ],
  ['an endless error', ({ cookie }) => chunk(cookie, 0x8001, Buffer.alloc(6), 1, 1 << 30), '1073741824 bytes'],
];

it.each(lies)('a server that answers a read with %s is not believed', async (_title, answer, message) => {
  const connection = await opened({ answer });
  const both = [connection.read(4096, Buffer.alloc(8192), forEver), connection.read(0, Buffer.alloc(8192), forEver)];
  const [first, second] = await Promise.allSettled(both);
  expect(first).toMatchObject({ status: 'rejected', reason: expect.any(NbdViolation) as Error });
  expect(String((first as PromiseRejectedResult).reason)).toContain(message);
  // Nor is anything else that it says.
  expect(second).toMatchObject({ status: 'rejected', reason: expect.any(NbdViolation) as Error });
  expect(connection.isLost).toBe(true);
  await expect(connection.read(0, Buffer.alloc(1), forEver)).rejects.toBeInstanceOf(NbdViolation);
});

const status = (cookie: bigint, ...numbers: number[]): Buffer => chunk(cookie, 5, Buffer.concat(numbers.map(u32)));
const statusLies: [string, NonNullable<Script['answer']>, string][] = [
  ['a context that was not selected', ({ cookie }) => status(cookie, 9, 4096, 0), 'a context 9 that was not selected'],
  ['no pieces', ({ cookie }) => status(cookie, 1), 'a block status in 4 bytes'],
  ['half a piece', ({ cookie }) => status(cookie, 1, 4096, 0, 1), 'a block status in 16 bytes'],
  ['a piece without length', ({ cookie }) => status(cookie, 1, 0, 0), 'without length'],
  [
    'pieces beyond the question',
    ({ cookie }) => status(cookie, 1, 4096, 0, 4096, 0, 4096, 0),
    'more of base:allocation',
  ],
  ['a piece beyond the disk', ({ cookie }) => status(cookie, 1, 1 << 21, 0), 'beyond the end of the disk'],
  ['no context', ({ cookie }) => chunk(cookie, 0, Buffer.alloc(0)), '0 of 1 contexts'],
  ['data', (request) => data(request), 'with a chunk of type 1'],
  [
    'a context twice',
    ({ cookie }) =>
      Buffer.concat([chunk(cookie, 5, Buffer.concat([1, 4096, 0].map(u32)), 0), status(cookie, 1, 4096, 0)]),
    'twice',
  ],
];

it.each(statusLies)('a server that tells block status with %s is not believed', async (_title, answer, message) => {
  const connection = await opened({ answer });
  const failed = connection.blockStatus(4096, 8192, forEver);
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toBeInstanceOf(NbdViolation);
});

it.each([
  [
    'in the middle of a header',
    (request: { cookie: bigint }) => chunk(request.cookie, 1, Buffer.alloc(0)).subarray(0, 9),
  ],
  ['in the middle of data', (request: Parameters<typeof data>[0]) => data(request).subarray(0, 500)],
  ['instead of an answer', () => Buffer.alloc(0)],
])('a server that hangs up %s is lost, and all commands with it', async (_title, answer) => {
  const connection = await opened({
    answer(request, socket) {
      socket.end(answer(request));
      return Buffer.alloc(0);
    },
  });
  const both = [connection.read(0, Buffer.alloc(1024), forEver), connection.read(0, Buffer.alloc(1024), forEver)];
  for (const each of await Promise.allSettled(both))
    expect(each).toMatchObject({ status: 'rejected', reason: expect.any(NbdLost) as Error });
});

it('a server that falls silent while it owes an answer is lost, one that owes none may be silent', async () => {
  const connection = await opened({ answer: ({ index }) => (index === 0 ? undefined : Buffer.alloc(0)) });
  await connection.read(0, Buffer.alloc(512), forEver);
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect(connection.isLost).toBe(false);
  await expect(connection.read(0, Buffer.alloc(512), forEver)).rejects.toThrow('no answer for 0.5 s');
});

it('a server that never greets is not waited for', async () => {
  const server = await scripted({ greeting: Buffer.alloc(0) });
  stops.push(server.stop);
  await expect(connectNbd(server.address, { withinMs: 200 })).rejects.toThrow('no answer within 0.2 s');
});

it('what comes in the clear after TLS was agreed upon is not taken for the server’s word', async () => {
  const server = await scripted({ option: (code) => (code === 5 ? Buffer.concat([ack(5), ack(8)]) : undefined) });
  stops.push(server.stop);
  const address = { ...server.address, tls: { verify: undefined } };
  await expect(connectNbd(address, { withinMs: 1000 })).rejects.toThrow('before TLS began');
  const plain = await scripted({});
  stops.push(plain.stop);
  await expect(connectNbd({ ...plain.address, tls: { verify: undefined } })).rejects.toThrow('refuses TLS');
});
