import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createPublisher } from '../../../functions/changefeed/eventGrid.ts';
import { type RunningEventGrid, startEventGrid } from '../../../local/eventgrid/server.ts';
import { openTokens, type Tokens } from '../../../local/identity/tokens.ts';
import { closeServer, listenOnLoopback, readBody } from '../../../local/loopback.ts';
import { ensurePki, trustCa } from '../../../local/pki.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import type { EventDocument } from '../../../shared/store/documents.ts';

const delivered: { id: string; type: string; subject: string; source: string; data: unknown }[] = [];
const hook = createServer((request, response) => {
  void (async () => {
    response.setHeader('webhook-allowed-origin', request.headers['webhook-request-origin'] ?? '');
    const text = (await readBody(request)).toString('utf8');
    if (text !== '') delivered.push(JSON.parse(text) as (typeof delivered)[number]);
    response.end();
  })();
});
let grid: RunningEventGrid;
let tokens: Tokens;
beforeAll(async () => {
  const pki = await ensurePki(undefined);
  trustCa(pki.ca);
  tokens = await openTokens(undefined, 'https://issuer.test', 'tenant');
  const endpoint = `http://127.0.0.1:${await listenOnLoopback(hook)}/hook`;
  const topics = [{ name: 'landfall', key: 'unused', subscriptions: [{ name: 'hook', endpoint }] }];
  grid = await startEventGrid({ tls: pki, topics, verifyToken: tokens.verify, backoffMs: () => 5 });
});
afterAll(async () => {
  await grid.stop();
  await closeServer(hook);
});
beforeEach(() => {
  delivered.length = 0;
});

const publisher = (audience = 'https://eventgrid.azure.net') =>
  createPublisher(
    { LANDFALL_EVENTGRID_ENDPOINT: grid.endpoint('landfall') },
    {
      getToken: async () => ({
        token: await tokens.issue({ oid: 'o', name: 'n' }, audience, 60),
        expiresOnTimestamp: Date.now() + 60_000,
      }),
    },
  );

function changed(event: Pick<WorkloadEvent, 'id' | 'type'> & { data: object }): EventDocument {
  const whole = { time: '2026-12-05T21:00:00.000Z', source: 'platform', ...event } as WorkloadEvent;
  return {
    id: `event.${event.id}`,
    kind: 'event',
    waveId: 'w1',
    workloadId: 'db',
    version: 1,
    hash: '',
    place: '',
    event: whole,
  };
}
const phase = (id: string, reason = 'r') =>
  changed({ id, type: 'landfall.workload.phaseEntered', data: { phase: 'testing', reason } });

it('a phase, and nothing of progress or of other documents, reaches a webhook as a CloudEvent', async () => {
  const progress = changed({ id: 'p1', type: 'landfall.sync.progress', data: {} });
  await publisher().publish([{ kind: 'state' }, null, progress, phase('e1')], () => {});
  await expect.poll(() => delivered).toHaveLength(1);
  expect(delivered[0]).toMatchObject({
    id: 'e1',
    type: 'landfall.workload.phaseEntered',
    source: '/landfall/waves/w1/workloads/db',
    subject: 'w1/db',
    data: { phase: 'testing' },
  });
});

it('more than a request holds goes in several', async () => {
  const long = 'x'.repeat(300_000);
  await publisher().publish(
    ['a', 'b', 'c', 'd'].map((id) => phase(id, long)),
    () => {},
  );
  await expect.poll(() => delivered.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
});

it('a topic that refuses is told about and tried again by the feed, which waits for nobody else', async () => {
  const said: string[] = [];
  const refused = publisher('https://storage.azure.com').publish([phase('e2')], (line) => said.push(line));
  await expect(refused).rejects.toMatchObject({ failure: { kind: 'transient' } });
  expect(said.join()).toContain('publishing to Event Grid');
});

it('without a topic nothing is sent', async () => {
  const silent = createPublisher({ LANDFALL_EVENTGRID_ENDPOINT: undefined }, { getToken: async () => null });
  await silent.publish([phase('e3')], () => {});
  expect(delivered).toEqual([]);
});
