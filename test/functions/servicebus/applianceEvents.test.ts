// What appliances report: accepted once, or quarantined with its reason while its neighbours go on.
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { applianceEvents } from '../../../functions/servicebus/applianceEvents.ts';
import { poisoned } from '../../../functions/servicebus/poisoned.ts';
import type { Received } from '../../../functions/servicebus/quarantine.ts';
import { deadLetterReason, receivedBatch } from '../../../functions/servicebus/received.ts';
import type { Envelope } from '../../../shared/protocol/events.ts';
import { signEvent } from '../../../shared/protocol/signing.ts';
import type { ApplianceDocument } from '../../../shared/store/documents.ts';
import { enqueueSync } from '../../../shared/sync/dispatch.ts';
import { fakeReach, withWave } from '../../fakes/reach.ts';

const keysOf = async (): Promise<{ privateKey: JWK; publicKey: JWK }> => {
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return { privateKey: await exportJWK(pair.privateKey), publicKey: await exportJWK(pair.publicKey) };
};
const keys = {
  'agent-db-01': await keysOf(),
  'agent-web-01': await keysOf(),
  'target-west': await keysOf(),
  'worker-cellar': await keysOf(),
};
type Appliance = keyof typeof keys;

let sequence = 0;
function event(source: string, type: string, data: unknown, change: Partial<Envelope> = {}): Envelope {
  sequence++;
  return {
    specversion: '1.0',
    id: `e${sequence}`,
    source,
    type,
    subject: 'w1/db',
    time: '2026-12-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    sequence,
    data,
    ...change,
  };
}
const progress = { syncId: 's', kind: 'initial', doneBytes: 1, totalBytes: 2, writtenBytes: 1, bytesPerSecond: 1 };
const heartbeat = { version: '1.0.0', bootId: 'b1', kind: 'agent', uptimeSeconds: 1, runningSyncs: [] };
const message = (body: string): Received => ({
  body,
  messageId: `m-${body.length}-${body.slice(-12)}`,
  sessionId: 'w1/db',
  deliveryCount: 1,
});
const signed = async (sent: Envelope, by: Appliance, key: Appliance = by): Promise<Received> =>
  message(await signEvent(sent, by, keys[key].privateKey));

async function world(appliance: Partial<ApplianceDocument> = {}) {
  const reach = fakeReach();
  await withWave(reach);
  for (const id of Object.keys(keys) as Appliance[])
    await reach.store.appliances.put({
      id: `appliance.${id}`,
      kind: 'appliance',
      environmentId: 'west',
      applianceId: id,
      applianceKind: 'agent',
      status: 'enrolled',
      publicKey: keys[id].publicKey as { kty: string },
      ...(id === 'agent-db-01' ? appliance : {}),
    });
  const quarantine = async () => (await reach.store.quarantine.list(50)).map(({ code }) => code);
  const events = async () => (await reach.store.workloads.events('w1', 'db', 1)).map(({ event: { id } }) => id);
  return { reach, quarantine, events, handle: (...batch: Received[]) => applianceEvents(reach, batch) };
}

describe('a batch of events', () => {
  it('is applied in order, duplicates once, within and across batches', async () => {
    const { handle, events, quarantine } = await world();
    const [a, b] = [
      event('agent-db-01', 'landfall.sync.progress', progress),
      event('agent-db-01', 'landfall.sync.progress', progress),
    ];
    const batch = [await signed(a, 'agent-db-01'), await signed(b, 'agent-db-01'), await signed(a, 'agent-db-01')];
    await handle(...batch);
    await handle(...batch);
    expect(await events()).toEqual([a.id, b.id]);
    expect(await quarantine()).toEqual([]);
  });

  it.each<[string, string, () => Promise<Received>]>([
    [
      'that another key has signed',
      'badSignature',
      () => signed(event('agent-db-01', 'landfall.sync.progress', progress), 'agent-db-01', 'agent-web-01'),
    ],
    [
      'of nobody we know',
      'unknownSender',
      async () =>
        message(
          await signEvent(
            event('agent-x', 'landfall.sync.progress', progress),
            'agent-x',
            keys['agent-db-01'].privateKey,
          ),
        ),
    ],
    [
      'of an appliance that another workload is assigned to',
      'foreignSender',
      () => signed(event('agent-web-01', 'landfall.sync.progress', progress), 'agent-web-01'),
    ],
    [
      'of the target appliance about what it does not do',
      'foreignSender',
      () => signed(event('target-west', 'landfall.sync.progress', progress), 'target-west'),
    ],
    [
      'that names another source than its signer',
      'foreignSender',
      () => signed(event('agent-db-01', 'landfall.sync.progress', progress), 'agent-web-01'),
    ],
    [
      'about another appliance',
      'foreignSender',
      () =>
        signed(
          event('agent-web-01', 'landfall.appliance.heartbeat', heartbeat, { subject: 'agent-db-01' }),
          'agent-web-01',
        ),
    ],
    [
      'of an unknown type',
      'unknownType',
      () => signed(event('agent-db-01', 'landfall.sync.finished', progress), 'agent-db-01'),
    ],
    [
      'with a broken body',
      'brokenBody',
      () => signed(event('agent-db-01', 'landfall.sync.progress', { syncId: 's' }), 'agent-db-01'),
    ],
    ['that is no signed event', 'brokenBody', async () => message('{"specversion":"1.0"}')],
    [
      'of a heartbeat on a workload’s subject',
      'brokenBody',
      () => signed(event('agent-db-01', 'landfall.appliance.heartbeat', heartbeat), 'agent-db-01'),
    ],
    [
      'about a workload that does not exist',
      'unknownWorkload',
      () => signed(event('agent-db-01', 'landfall.sync.progress', progress, { subject: 'w1/nobody' }), 'agent-db-01'),
    ],
    [
      'that answers what another workload was asked',
      'foreignSender',
      () =>
        signed(
          event(
            'agent-db-01',
            'landfall.services.stopped',
            { services: [] },
            { operationid: 'cutover-w1.web-1:stopServices:web:1' },
          ),
          'agent-db-01',
        ),
    ],
    [
      'that answers what a worker was asked',
      'foreignSender',
      () =>
        signed(
          event(
            'agent-db-01',
            'landfall.worker.verified',
            { results: [] },
            { subject: 'agent-db-01', operationid: 'wave-w1:1:verifyWorker:cellar:1' },
          ),
          'agent-db-01',
        ),
    ],
    [
      'that takes the id of an event of the platform',
      'brokenBody',
      () =>
        signed(
          event('agent-db-01', 'landfall.sync.progress', progress, { id: 'cutover-w1.db-1:off:1.phase' }),
          'agent-db-01',
        ),
    ],
  ])('with one %s quarantines it as %s and applies its neighbours', async (_what, code, bad) => {
    const { handle, events, quarantine, reach } = await world();
    const [before, after] = [
      event('agent-db-01', 'landfall.sync.progress', progress),
      event('agent-db-01', 'landfall.sync.progress', progress),
    ];
    const broken = await bad();
    const batch = [await signed(before, 'agent-db-01'), broken, await signed(after, 'agent-db-01')];
    await handle(...batch);
    await handle(...batch);
    expect(await events()).toEqual([before.id, after.id]);
    expect(await quarantine()).toEqual([code]);
    const [kept] = await reach.store.quarantine.list(1);
    expect(kept).toMatchObject({ messageId: broken.messageId, body: broken.body, sessionId: 'w1/db' });
    expect(kept?.reason).not.toBe('');
  });

  it('of an appliance whose clock is wrong counts as heard when it arrives', async () => {
    const { handle, reach } = await world();
    const plan = (await reach.store.workloads.get('w1', 'db'))!.plan;
    const queued = await enqueueSync(reach, plan, 'initial', 'prepare-w1.db-1:initialSync:db:1');
    const { syncId } = queued as { syncId: string };
    const late = { ...progress, syncId };
    for (const time of ['2001-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z']) {
      await handle(await signed(event('agent-db-01', 'landfall.sync.progress', late, { time }), 'agent-db-01'));
      expect((await reach.store.workloads.get('w1', 'db'))?.state.sync.heardAt).toBe(reach.now());
    }
  });

  it('of a revoked appliance goes to quarantine whole', async () => {
    const { handle, events, quarantine } = await world({ status: 'revoked' });
    await handle(await signed(event('agent-db-01', 'landfall.sync.progress', progress), 'agent-db-01'));
    expect(await events()).toEqual([]);
    expect(await quarantine()).toEqual(['revokedSender']);
  });

  it('of the environment’s target appliance is accepted', async () => {
    const { handle, events } = await world();
    const sent = event('target-west', 'landfall.probe.completed', { results: [] });
    await handle(await signed(sent, 'target-west'));
    expect(await events()).toEqual([sent.id]);
  });

  it('is understood as bytes and in the quotes that a host may leave around it', async () => {
    const { handle, events } = await world();
    const sent = [1, 2].map(() => event('agent-db-01', 'landfall.sync.progress', progress));
    const [quoted, bytes] = await Promise.all(sent.map((each) => signed(each, 'agent-db-01')));
    await handle(
      { ...quoted!, body: JSON.stringify(quoted!.body) },
      { ...bytes!, body: new TextEncoder().encode(String(bytes!.body)) },
    );
    expect(await events()).toEqual(sent.map(({ id }) => id));
  });

  it('that cannot be stored fails as a whole, so that its messages stay', async () => {
    const { handle, reach } = await world();
    reach.store.workloads.append = async () => {
      throw new Error('the store is away');
    };
    await expect(
      handle(await signed(event('agent-db-01', 'landfall.sync.progress', progress), 'agent-db-01')),
    ).rejects.toThrow('the store is away');
  });

  it('shows a tampered payload as a bad signature', async () => {
    const { handle, quarantine } = await world();
    const { body } = await signed(event('agent-db-01', 'landfall.sync.progress', progress), 'agent-db-01');
    const [head, , tail] = String(body).split('.');
    const other = btoa(
      JSON.stringify(event('agent-db-01', 'landfall.sync.progress', { ...progress, doneBytes: 2 })),
    ).replace(/=/g, '');
    await handle(message(`${head}.${other}.${tail}`));
    expect(await quarantine()).toEqual(['badSignature']);
  });
});

describe('a heartbeat', () => {
  const beat = (change: object = {}) =>
    signed(
      event('agent-db-01', 'landfall.appliance.heartbeat', { ...heartbeat, ...change }, { subject: 'agent-db-01' }),
      'agent-db-01',
    );

  it('makes an appliance healthy and tells whoever waits for it', async () => {
    const told: unknown[] = [];
    const { handle, reach } = await world({ operationId: 'wave-w1:appliance:1' });
    const { toEnvironment } = reach.store.signals;
    reach.store.signals.toEnvironment = async (environmentId, signal) => {
      told.push([environmentId, signal.operationId, signal.type, signal.data]);
      await toEnvironment(environmentId, signal);
    };
    await handle(await beat());
    reach.pass(60_000);
    await handle(await beat());
    expect(told).toEqual([
      ['west', 'wave-w1:appliance:1', 'landfall.appliance.healthy', { applianceId: 'agent-db-01', version: '1.0.0' }],
    ]);
    expect(await reach.store.appliances.get('agent-db-01')).toMatchObject({
      status: 'healthy',
      version: '1.0.0',
      bootId: 'b1',
      heardAt: '2026-12-01T00:01:00.000Z',
    });
  });

  it('that says nothing new is not written down each time', async () => {
    const { handle, reach } = await world();
    await handle(await beat());
    reach.pass(4000);
    await handle(await beat());
    expect((await reach.store.appliances.get('agent-db-01'))?.heardAt).toBe('2026-12-01T00:00:00.000Z');
    await handle(await beat({ bootId: 'b2' }));
    expect(await reach.store.appliances.get('agent-db-01')).toMatchObject({
      bootId: 'b2',
      heardAt: '2026-12-01T00:00:04.000Z',
    });
  });

  it('ends with the appliance’s own word', async () => {
    const { handle, reach } = await world();
    await handle(
      await beat(),
      await signed(
        event('agent-db-01', 'landfall.appliance.stopping', { reason: 'update' }, { subject: 'agent-db-01' }),
        'agent-db-01',
      ),
    );
    await handle(await beat());
    await handle(
      await signed(
        event('agent-db-01', 'landfall.appliance.stopping', { reason: 'update' }, { subject: 'agent-db-01' }),
        'agent-db-01',
      ),
    );
    expect((await reach.store.appliances.get('agent-db-01'))?.status).toBe('silent');
  });
});

it('a worker’s verification reaches the operation that asked for it', async () => {
  const changes: unknown[] = [];
  const reach = fakeReach((container, document) => changes.push([container, document]));
  await reach.store.appliances.put({
    id: 'appliance.worker-cellar',
    kind: 'appliance',
    environmentId: 'west',
    applianceId: 'worker-cellar',
    applianceKind: 'worker',
    status: 'healthy',
    publicKey: keys['worker-cellar'].publicKey as { kty: string },
  });
  const verified = event(
    'worker-cellar',
    'landfall.worker.verified',
    { results: [] },
    { subject: 'worker-cellar', operationid: 'wave-w1:1:verifyWorker:cellar:1' },
  );
  await applianceEvents(reach, [await signed(verified, 'worker-cellar')]);
  expect(changes.at(-1)).toMatchObject([
    'environments',
    {
      kind: 'signal',
      operationId: 'wave-w1:1:verifyWorker:cellar:1',
      type: 'landfall.worker.verified',
      data: { results: [] },
    },
  ]);
});

it('a message that no attempt could store is kept with the broker’s reason', async () => {
  const reach = fakeReach();
  await poisoned(reach, message('rubbish'), 'MaxDeliveryCountExceeded');
  expect(await reach.store.quarantine.list(5)).toMatchObject([
    { code: 'poisoned', source: 'unknown', reason: 'MaxDeliveryCountExceeded', body: 'rubbish' },
  ]);
});

it('a batch is read from the host’s parallel lists', () => {
  const triggerMetadata = { messageIdArray: ['m1', 'm2'], sessionIdArray: ['s', 's'], deliveryCountArray: [1, 3] };
  expect(receivedBatch(['a', 'b'], { triggerMetadata })).toEqual([
    { body: 'a', messageId: 'm1', sessionId: 's', deliveryCount: 1 },
    { body: 'b', messageId: 'm2', sessionId: 's', deliveryCount: 3 },
  ]);
  expect(receivedBatch('a', { triggerMetadata: { messageId: 42, deliveryCount: 2 } })).toEqual([
    { body: 'a', messageId: '42', deliveryCount: 2 },
  ]);
});

it('takes the reason of a dead letter from the properties of the message', () => {
  const applicationProperties = {
    deadLetterReason: 'MaxDeliveryCountExceeded',
    deadLetterErrorDescription: 'ten times',
  };
  expect(deadLetterReason({ triggerMetadata: { applicationProperties } })).toBe('MaxDeliveryCountExceeded: ten times');
  expect(deadLetterReason({ triggerMetadata: { applicationProperties: {} } })).toBeUndefined();
  expect(deadLetterReason({})).toBeUndefined();
});
