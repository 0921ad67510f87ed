// What leaves the store: exactly what somebody waits for.
import { describe, expect, it } from 'vitest';
import { committed, raisedBy } from '../../../functions/changefeed/committed.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import type {
  AttentionDocument,
  ControlDocument,
  EventDocument,
  GateDocument,
  SignalDocument,
} from '../../../shared/store/documents.ts';
import { gateOf } from '../../fakes/gates.ts';
import { fakeReach } from '../../fakes/reach.ts';
import { FakeOrchestrations } from '../http/api.ts';

const at = '2026-12-01T00:00:00.000Z';
const operationId = 'prepare-w1.db-1:sync:1';
const event = (type: string, change: Partial<WorkloadEvent> = {}): EventDocument => ({
  id: 'event.e',
  kind: 'event',
  waveId: 'w1',
  workloadId: 'db',
  hash: '',
  place: '',
  version: 2,
  event: { id: 'e', time: at, source: 'a', operationId, type, data: { n: 1 }, ...change } as unknown as WorkloadEvent,
});
const gate = (status: GateDocument['status']): GateDocument => gateOf({ id: 'gate.1', status, operationId });
const attention = (change: Partial<AttentionDocument> = {}): AttentionDocument => ({
  id: 'attention.1',
  kind: 'attention',
  waveId: 'w1',
  step: 's',
  workloadIds: [],
  failure: { code: 'syncFailed', kind: 'terminal', message: 'm', suggestion: 's' },
  during: 'run',
  choices: ['retry'],
  status: 'open',
  openedAt: at,
  operationId,
  ...change,
});
const waiting = { instanceId: 'prepare-w1.db-1', name: operationId };

const { store } = fakeReach();
const raised = (document: Parameters<typeof raisedBy>[0]) => raisedBy(document, store);

describe('the change feed', () => {
  it('raises milestones under their operation id, and never progress', async () => {
    expect(await raised(event('landfall.sync.completed'))).toEqual([
      { ...waiting, data: { type: 'landfall.sync.completed', data: { n: 1 } } },
    ]);
    expect(await raised(event('landfall.sync.progress'))).toEqual([]);
    expect(await raised(event('landfall.sync.completed', { operationId: undefined }))).toEqual([]);
  });

  it('tells nobody about the timer’s own syncs', async () => {
    expect(await raised(event('landfall.sync.completed', { operationId: 'deltas:w1.db:7' }))).toEqual([]);
  });

  it('raises gates once they are decided or expired', async () => {
    for (const status of ['open', 'withdrawn'] as const) expect(await raised(gate(status))).toEqual([]);
    for (const status of ['approved', 'rejected', 'expired'] as const)
      expect(await raised(gate(status))).toEqual([
        { ...waiting, data: { type: 'landfall.gate.decided', data: { status, decisions: [] } } },
      ]);
  });

  it('raises questions once they are answered', async () => {
    expect(await raised(attention())).toEqual([]);
    expect(await raised(attention({ status: 'withdrawn' }))).toEqual([]);
    const answer = { choice: 'retry' as const, by: 'ada', reason: 'r', at };
    expect(await raised(attention({ status: 'answered', answer }))).toEqual([
      { ...waiting, data: { type: 'landfall.attention.answered', data: answer } },
    ]);
  });

  it('carries signals to one orchestration and orders to all that they name', async () => {
    const signal: SignalDocument = {
      id: 'signal.1',
      kind: 'signal',
      waveId: 'w1',
      operationId,
      type: 't',
      data: { x: 1 },
      at,
    };
    expect(await raised(signal)).toEqual([{ ...waiting, data: { type: 't', data: { x: 1 } } }]);
    const order = { action: 'rollback', to: 'replicating', by: 'ada', reason: 'r' } as const;
    const control: ControlDocument = {
      id: 'control.1',
      kind: 'control',
      waveId: 'w1',
      instanceIds: ['wave-w1', 'group-w1.g-1'],
      signal: order,
      at,
    };
    expect(await raised(control)).toEqual(
      ['wave-w1', 'group-w1.g-1'].map((instanceId) => ({
        instanceId,
        name: 'control',
        data: expect.objectContaining(order),
      })),
    );
  });

  it('passes over documents that tell nothing', async () => {
    const orchestrations = new FakeOrchestrations();
    const documents = [{ id: 'state', kind: 'state' }, { id: 'x' }, null, event('landfall.sync.failed')];
    await committed(documents, orchestrations, store);
    expect(orchestrations.raised).toHaveLength(1);
  });

  it('fails when something could not be told, so that the batch comes again', async () => {
    const orchestrations = new FakeOrchestrations();
    orchestrations.broken = true;
    await expect(committed([event('landfall.sync.failed')], orchestrations, store)).rejects.toThrow(
      'the durable runtime is gone',
    );
  });
});
