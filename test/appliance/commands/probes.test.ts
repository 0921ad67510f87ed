import { createServer as createHttpServer } from 'node:http';
import { createServer, type LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProbes } from '../../../appliance/commands/probes.ts';
import { dial } from '../../../appliance/net/dial.ts';
import { askedNetwork, ownNetwork } from '../../../appliance/net/network.ts';
import { closeServer, listenOnLoopback, readBody } from '../../../local/loopback.ts';
import type { Probe } from '../../../shared/model/probe.ts';

const reach = (host: string, port: number): Probe => ({ kind: 'reach', name: `${host}:${port}`, host, port });
const resolve = (question: string, type: 'A' | 'PTR' = 'A'): Probe => ({
  kind: 'resolve',
  name: question,
  question,
  type,
});

describe('in its own network', () => {
  const open = createServer((socket) => socket.end());
  let port: number;
  let closed: number;
  beforeAll(async () => {
    port = await listenOnLoopback(open as never);
    const gone = createServer();
    closed = await listenOnLoopback(gone as never);
    await new Promise((done) => gone.close(done));
  });
  afterAll(() => void open.close());

  it('a connection that is refused has been answered, and is told apart from one that is open', async () => {
    const found = await runProbes([reach('127.0.0.1', port), reach('127.0.0.1', closed)], ownNetwork());
    expect(found.map(({ seen }) => seen)).toEqual(['open', 'refused']);
  });

  it('a host whose name does not come to an address has not been probed, however long that takes', async () => {
    const failing: LookupFunction = (_name, _options, callback) =>
      callback(Object.assign(new Error('ENOTFOUND'), { syscall: 'getaddrinfo', code: 'ENOTFOUND' }), '', 0);
    expect(await dial('no-such-host.invalid', port, { timeoutMs: 500, lookup: failing })).toMatchObject({
      seen: 'notRun',
    });
    const waiting: LookupFunction = () => {};
    expect(await dial('slow.invalid', port, { timeoutMs: 50, lookup: waiting })).toEqual({
      seen: 'notRun',
      detail: 'no address within 50 ms',
    });
  });

  it('instance metadata is never contacted', async () => {
    const [found] = await runProbes([reach('::ffff:169.254.169.254', 80)], ownNetwork());
    expect(found).toMatchObject({ seen: 'notRun', detail: expect.stringContaining('never contacted') as string });
  });

  it('a name leads to its addresses, to nothing where nobody has it, and nowhere while its resolver is away', async () => {
    const fails = (code: string) => Promise.reject(Object.assign(new Error(code), { code }));
    const network = ownNetwork({
      lookup: (async () => [{ address: '10.0.0.7', family: 4 }]) as never,
      resolve4: (async (name: string) =>
        name === 'gone.corp.example' ? fails('ENOTFOUND') : ['10.0.0.9', '10.0.0.4']) as never,
      reverse: async (address) => (address === '10.0.0.4' ? ['web.corp.example'] : fails('ESERVFAIL')),
    });
    const asked = [
      resolve('web.corp.example'),
      resolve('web'),
      resolve('gone.corp.example'),
      resolve('10.0.0.4', 'PTR'),
      resolve('10.0.0.5', 'PTR'),
    ];
    expect((await runProbes(asked, network)).map(({ seen, answers }) => [seen, ...answers])).toEqual([
      ['answers', '10.0.0.4', '10.0.0.9'],
      ['answers', '10.0.0.7'],
      ['answers'],
      ['answers', 'web.corp.example'],
      ['notRun'],
    ]);
  });
});

describe('as a process that stands for a machine', () => {
  const questions: unknown[] = [];
  const simulator = createHttpServer(async (request, response) => {
    const question = JSON.parse((await readBody(request)).toString()) as {
      reach?: { port: number };
      resolve?: unknown;
    };
    questions.push(question);
    if (question.reach?.port === 22) response.end(JSON.stringify({ seen: 'silent', detail: 'rule deny-all' }));
    else if (question.resolve !== undefined) response.end(JSON.stringify({ answers: ['10.0.0.4'] }));
    else response.writeHead(501).end(JSON.stringify({ error: { code: 'NotSimulated', message: 'nobody listens' } }));
  });
  let url: string;
  beforeAll(async () => {
    url = `http://127.0.0.1:${await listenOnLoopback(simulator)}/network`;
  });
  afterAll(() => closeServer(simulator));

  it('it asks whoever simulates the network, and what is not simulated was not probed', async () => {
    const asked = [reach('10.99.1.4', 22), reach('10.99.1.4', 443), resolve('db.corp.example')];
    expect(await runProbes(asked, askedNetwork(url))).toEqual([
      { name: '10.99.1.4:22', seen: 'silent', answers: [], detail: '10.99.1.4:22: rule deny-all' },
      { name: '10.99.1.4:443', seen: 'notRun', answers: [], detail: '10.99.1.4:443: nobody listens' },
      { name: 'db.corp.example', seen: 'answers', answers: ['10.0.0.4'], detail: 'A db.corp.example: 10.0.0.4' },
    ]);
    expect(questions).toContainEqual({ reach: { host: '10.99.1.4', port: 22 } });
  });

  it('whoever does not answer at all leaves everything unprobed', async () => {
    const nobody = askedNetwork('http://127.0.0.1:1/network');
    const found = await runProbes([reach('10.99.1.4', 22), resolve('db.corp.example')], nobody);
    expect(found.map(({ seen }) => seen)).toEqual(['notRun', 'notRun']);
  });
});
