// A wave over HTTP: planned, started, decided about, walked back.
import { describe, expect, it } from 'vitest';
import { raisedBy } from '../../../functions/changefeed/committed.ts';
import type { WorkloadEvent } from '../../../shared/lifecycle/events.ts';
import type { Phase } from '../../../shared/lifecycle/phases.ts';
import type { AttentionDocument, ControlDocument } from '../../../shared/store/documents.ts';
import { post } from '../../../shared/versions/post.ts';
import { environment, profile, sources, wavePosted } from '../../fakes/definitions.ts';
import { gateOf } from '../../fakes/gates.ts';
import { withWave } from '../../fakes/reach.ts';
import { wayToTraffic } from '../../fakes/wayToTraffic.ts';
import { startApi, users } from './api.ts';

const { api } = await startApi();
const at = '2026-12-01T00:00:00.000Z';

async function planned() {
  const one = api();
  await withWave(one.reach);
  const walk = async (workloadId: string, ...phases: Phase[]) => {
    const events = phases.map(
      (phase): WorkloadEvent => ({
        id: `to-${phase}`,
        time: at,
        source: 'platform',
        type: 'landfall.workload.phaseEntered',
        data: { phase, reason: 'test' },
      }),
    );
    const { illegal } = await one.reach.store.workloads.append('w1', workloadId, events);
    expect(illegal).toEqual([]);
  };
  return { ...one, walk };
}
async function started() {
  const one = await planned();
  await one.ask('POST', '/api/waves/w1/start', { as: 'ada' });
  return one;
}

async function putInventory(ask: ReturnType<typeof api>['ask']) {
  await ask('PUT', '/api/environments/west', { as: 'ada', body: environment });
  await ask('PUT', '/api/profiles/standard', { as: 'ada', body: profile });
  for (const source of sources)
    expect((await ask('PUT', `/api/sources/${source.id}`, { as: 'ada', body: source })).status).toBe(200);
}

describe('posting a wave', () => {
  async function withInventory() {
    const one = api();
    await putInventory(one.ask);
    return {
      ...one,
      post: (change: (wave: ReturnType<typeof wavePosted>) => void, query = '') => {
        const wave = wavePosted();
        change(wave);
        return one.ask('POST', `/api/waves${query}`, { as: 'ada', body: wave });
      },
    };
  }

  it('stores its plan and registers its workloads', async () => {
    const { post, ask } = await withInventory();
    const { status, headers, body } = await post(() => {});
    expect(status).toBe(201);
    expect(headers['location']).toBe('/api/waves/w1');
    const view = (await ask('GET', '/api/waves/w1', { as: 'alan' })).body;
    expect(view).toMatchObject({ status: 'planned', createdBy: users.ada.oid, planHash: body.plan.hash });
    expect(view.criticalPath.groups.data).toMatchObject({ earliestStartSeconds: 0, slackSeconds: 0 });
    expect(
      view.groups.map((group: { workloads: { phase: string }[] }) => group.workloads.map(({ phase }) => phase)),
    ).toEqual([['registered'], ['registered', 'registered']]);
    expect((await post(() => {})).status).toBe(409);
  });

  it('with dryRun answers the plan with its findings and stores nothing', async () => {
    const { post, reach } = await withInventory();
    const { status, body } = await post(() => {}, '?dryRun=true');
    expect(status).toBe(200);
    expect(body.findings).toContainEqual(
      expect.objectContaining({ workloadId: 'db', rule: 'consistency', severity: 'warning' }),
    );
    expect(body.criticalPath.path.map(({ groupId }: { groupId: string }) => groupId)).toEqual(['data', 'shop']);
    expect(await reach.store.waves.list()).toEqual([]);
    expect(await reach.store.workloads.list('w1')).toEqual([]);
  });

  it('is refused with the place of everything that stands against it', async () => {
    const { post } = await withInventory();
    const { status, body } = await post((wave) => {
      wave.profile = 'gold';
      wave.window.start = '2020-01-01T00:00';
      wave.groups[0]!.workloads[0]!.source = 'db-1';
      wave.groups[1]!.workloads[1]!.id = 'app';
      Object.assign(wave.groups[0]!, { dependsOn: ['shop'] });
    });
    expect(status).toBe(400);
    const paths = body.errors.map(({ path }: { path: string }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        'profile',
        'window.start',
        'groups[0].workloads[0].source',
        'groups[1].workloads[1].id',
        'groups[0].dependsOn',
      ]),
    );
    expect(JSON.stringify(body.errors)).toContain('data → shop → data');
    for (const error of body.errors) expect(error.fix).not.toBe('');
  });

  it('is refused with the place inside of a dependency that is written wrongly', async () => {
    const { post } = await withInventory();
    const { body } = await post((wave) =>
      Object.assign(wave.groups[1]!, {
        dependsOn: ['data', { group: 'data', kind: 'maped' }, {}, { wave: 'w1', gruop: 'data' }, 7],
      }),
    );
    expect(body.errors).toMatchObject([
      { path: 'groups[1].dependsOn[1].kind', value: 'maped', fix: 'use "whole" or "sameWorkload" or "mapped"' },
      { path: 'groups[1].dependsOn[2].group', fix: 'name the group, the wave, or both that must have committed' },
      { path: 'groups[1].dependsOn[3].gruop', fix: 'did you mean "group"?' },
      { path: 'groups[1].dependsOn[4]', value: 7, fix: 'give one of the allowed forms' },
    ]);
  });

  it('may wait for a stored wave, and is refused if the two would wait for each other', async () => {
    const { post, ask } = await withInventory();
    await post(() => {});
    await ask('POST', '/api/waves/w1/cancel', { as: 'ada', body: { reason: 'for the sources' } });
    const w2 = await post((wave) => {
      wave.id = 'w2';
      Object.assign(wave.groups[0]!, { dependsOn: [{ wave: 'w1', group: 'shop' }] });
    });
    expect(w2.status).toBe(201);
    expect(w2.body.plan.groups[0].needs).toEqual([{ waveId: 'w1', groupId: 'shop' }]);
    const unknown = await post((wave) => {
      wave.id = 'w3';
      Object.assign(wave, { dependsOn: ['w22'] });
    });
    expect(unknown.body.errors[0]).toMatchObject({ path: 'dependsOn[0]', fix: 'did you mean "w2"?' });
  });

  it('is refused while another wave holds one of its sources', async () => {
    const { post } = await withInventory();
    await post(() => {});
    const { status, body } = await post((wave) => {
      wave.id = 'w2';
    });
    expect(status).toBe(400);
    expect(body.errors[0]).toMatchObject({
      path: 'groups[0].workloads[0].source',
      message: 'wave "w1" has this source in hand',
    });
  });

  it('is refused while an ended wave still replicates its source, and not once that is withdrawn', async () => {
    const { ask, reach, walk } = await started();
    await putInventory(ask);
    await walk('db', 'preparing', 'replicating');
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'rolledBack' }));
    const w2 = () => ask('POST', '/api/waves?dryRun=true', { as: 'ada', body: { ...wavePosted(), id: 'w2' } });
    expect((await w2()).body.errors).toMatchObject([
      { path: 'groups[0].workloads[0].source', message: 'wave "w1" has this source in hand' },
    ]);
    await walk('db', 'rollingBack', 'withdrawn');
    expect((await w2()).status).toBe(200);
  });

  it('is refused when a source cannot be migrated as it stands', async () => {
    const { post, ask } = await withInventory();
    const [db] = sources;
    await ask('PUT', '/api/sources/db-01', {
      as: 'ada',
      body: { ...db, disks: db!.disks.map((disk) => ({ ...disk, boot: false })) },
    });
    expect(await post(() => {})).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'groups[0].workloads[0].source', value: 'db-01' }] },
    });
  });

  it('needs an administrator for environments, and one id in path and body', async () => {
    const { ask } = await withInventory();
    expect((await ask('PUT', '/api/environments/west', { as: 'linus', body: environment })).status).toBe(403);
    expect((await ask('PUT', '/api/environments/east', { as: 'ada', body: environment })).body.errors).toMatchObject([
      { path: 'id', value: 'west' },
    ]);
    const { id: _id, ...rest } = environment;
    expect((await ask('PUT', '/api/environments/east', { as: 'ada', body: rest })).body.id).toBe('east');
    expect((await ask('GET', '/api/environments/north', { as: 'ada' })).status).toBe(404);
  });
});

describe('starting', () => {
  it('begins the orchestration once and remembers who asked', async () => {
    const { ask, orchestrations, reach } = await planned();
    expect((await ask('POST', '/api/waves/w1/start', { as: 'grace' })).status).toBe(403);
    expect(await ask('POST', '/api/waves/w1/start', { as: 'ada' })).toMatchObject({
      status: 202,
      body: { instanceId: 'wave-w1', attempt: 1 },
    });
    expect(await ask('POST', '/api/waves/w1/start', { as: 'ada' })).toMatchObject({ status: 409 });
    expect(orchestrations.started).toEqual([
      { name: 'wave', instanceId: 'wave-w1', input: { waveId: 'w1', attempt: 1, startedAt: at } },
    ]);
    expect(await reach.store.waves.get('w1')).toMatchObject({ status: 'running', startedBy: users.ada.oid });
  });

  it('again after a rollback is another attempt', async () => {
    const { ask, orchestrations, reach } = await started();
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'rolledBack', endedAt: at, reason: 'r' }));
    orchestrations.standings.set('wave-w1', 'ended');
    expect((await ask('POST', '/api/waves/w1/start', { as: 'ada' })).body.attempt).toBe(2);
    expect(await reach.store.waves.get('w1')).not.toHaveProperty('endedAt');
  });

  it('that a crash cut short between store and orchestration is completed, as the same attempt', async () => {
    const { ask, orchestrations } = await planned();
    orchestrations.broken = true;
    expect((await ask('POST', '/api/waves/w1/start', { as: 'ada' })).status).toBe(500);
    orchestrations.broken = false;
    expect((await ask('POST', '/api/waves/w1/start', { as: 'ada' })).body.attempt).toBe(1);
    expect(orchestrations.started).toHaveLength(1);
  });

  it('twice at once begins one attempt, also when an earlier one has ended', async () => {
    const { ask, orchestrations, reach } = await started();
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'rolledBack' }));
    orchestrations.standings.set('wave-w1', 'ended');
    const answers = await Promise.all([1, 2].map(() => ask('POST', '/api/waves/w1/start', { as: 'ada' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    expect((await reach.store.waves.get('w1'))?.attempt).toBe(2);
  });

  it('again is refused while another wave holds one of its sources', async () => {
    const { ask, orchestrations, reach } = await started();
    const ended = await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'rolledBack' }));
    orchestrations.standings.set('wave-w1', 'ended');
    const { definition, plan } = await reach.store.plans.whole(ended.plan);
    await post(reach.store, {
      definition: { ...definition, id: 'w2' },
      plan: { ...plan, waveId: 'w2', workloads: plan.workloads.map((workload) => ({ ...workload, waveId: 'w2' })) },
      ...{ by: 'ada', at: reach.now() },
    });
    const { status, body } = await ask('POST', '/api/waves/w1/start', { as: 'ada' });
    expect(status).toBe(409);
    expect(body.detail).toContain('Wave w2 migrates source');
    await ask('POST', '/api/waves/w2/cancel', { as: 'ada', body: { reason: 'not now' } });
    expect((await ask('POST', '/api/waves/w1/start', { as: 'ada' })).status).toBe(202);
  });

  it('is over once the wave has committed, and unknown waves are unknown', async () => {
    const { ask, orchestrations, reach } = await started();
    await reach.store.waves.change('w1', (wave) => ({ ...wave, status: 'committed' }));
    orchestrations.standings.set('wave-w1', 'ended');
    expect((await ask('POST', '/api/waves/w1/start', { as: 'ada' })).status).toBe(409);
    expect((await ask('POST', '/api/waves/w9/start', { as: 'ada' })).status).toBe(404);
  });
});

describe('rolling back', () => {
  const rollback = (body: object = {}) => ({ body: { reason: 'the shop is slow', ...body } });
  it('a whole wave tells every orchestration that may run', async () => {
    const { ask, reach } = await started();
    expect((await ask('POST', '/api/waves/w1/rollback', { as: 'ada', ...rollback() })).status).toBe(202);
    const [control] = await reach.store.controls.list('w1');
    expect(control?.signal).toEqual({
      action: 'rollback',
      to: 'replicating',
      by: users.ada.oid,
      reason: 'the shop is slow',
      id: control?.id,
      at: control?.at,
    });
    const raised = await raisedBy(control as ControlDocument, reach.store);
    expect(raised.map(({ instanceId }) => instanceId).toSorted()).toEqual([
      'cutover-w1.app-1',
      'cutover-w1.db-1',
      'cutover-w1.web-1',
      'group-w1.data-1',
      'group-w1.shop-1',
      'prepare-w1.app-1',
      'prepare-w1.db-1',
      'prepare-w1.web-1',
      'wave-w1',
    ]);
  });

  it('a group leaves the wave and the other groups alone', async () => {
    const { ask, reach } = await started();
    await ask('POST', '/api/waves/w1/rollback', { as: 'ada', ...rollback({ group: 'data', to: 'withdrawn' }) });
    expect((await reach.store.controls.list('w1'))[0]?.instanceIds).toEqual([
      'group-w1.data-1',
      'prepare-w1.db-1',
      'cutover-w1.db-1',
    ]);
    expect(
      (await ask('POST', '/api/waves/w1/rollback', { as: 'ada', ...rollback({ group: 'nobody' }) })).body.errors,
    ).toMatchObject([{ path: 'group' }]);
  });

  it('after traffic has moved takes an approver who accepts the loss of data', async () => {
    const { ask, walk, reach } = await started();
    await walk('db', ...wayToTraffic);
    const asking = (as: 'ada' | 'grace', body: object) =>
      ask('POST', '/api/waves/w1/rollback', { as, ...rollback(body) });
    expect((await asking('ada', {})).status).toBe(409);
    expect((await asking('ada', { acceptDataLoss: true })).status).toBe(403);
    expect((await asking('grace', {})).status).toBe(409);
    expect((await ask('POST', '/api/waves/w1/rollback', { as: 'grace', body: { acceptDataLoss: true } })).status).toBe(
      400,
    );
    expect(await reach.store.controls.list('w1')).toEqual([]);
    expect((await asking('grace', { acceptDataLoss: true })).status).toBe(202);
    expect((await reach.store.controls.list('w1'))[0]?.signal).toMatchObject({ acceptDataLoss: true });
    expect((await ask('POST', '/api/waves/w1/rollback', { as: 'grace', ...rollback({ group: 'shop' }) })).status).toBe(
      403,
    );
  });

  it('nobody but an approver accepts a loss beforehand: the order may arrive after traffic has moved', async () => {
    const { ask, reach } = await started();
    const asking = (as: 'ada' | 'linus') =>
      ask('POST', '/api/waves/w1/rollback', { as, ...rollback({ acceptDataLoss: true }) });
    expect((await asking('ada')).status).toBe(403);
    expect(await reach.store.controls.list('w1')).toEqual([]);
    expect((await asking('linus')).status).toBe(202);
  });

  it('counts the phase from which a workload came to attention', async () => {
    const { ask, walk } = await started();
    await walk('db', ...wayToTraffic, 'attention');
    expect((await ask('POST', '/api/waves/w1/rollback', { as: 'ada', ...rollback() })).status).toBe(409);
  });

  it('after the commit is not offered, accepted loss or not', async () => {
    const { ask, walk } = await started();
    await walk('db', ...wayToTraffic, 'validating', 'committed');
    const { status, body } = await ask('POST', '/api/waves/w1/rollback', {
      as: 'grace',
      ...rollback({ acceptDataLoss: true }),
    });
    expect(status).toBe(409);
    expect(body.detail).toContain('only failing forward');
  });

  it('needs something that runs; a wave that never started is cancelled at once', async () => {
    const { ask, reach } = await planned();
    expect((await ask('POST', '/api/waves/w1/rollback', { as: 'ada', ...rollback() })).status).toBe(409);
    expect((await ask('POST', '/api/waves/w1/cancel', { as: 'ada', body: { reason: 'not now' } })).body.status).toBe(
      'cancelled',
    );
    expect(await reach.store.controls.list('w1')).toEqual([]);
  });

  it('by cancelling withdraws everything', async () => {
    const { ask, reach } = await started();
    await ask('POST', '/api/waves/w1/cancel', { as: 'ada', body: { reason: 'not now' } });
    expect((await reach.store.controls.list('w1'))[0]?.signal).toMatchObject({ action: 'cancel', to: 'withdrawn' });
  });
});

describe('at a gate', () => {
  async function withGate() {
    const one = await started();
    const gate = gateOf({
      id: 'gate.data.uat.1-0',
      groupId: 'data',
      requester: users.linus.oid.toUpperCase(),
      openedAt: at,
      operationId: 'group-w1.data-1:gate:uat:0',
    });
    await one.reach.store.gates.open(gate);
    return {
      ...one,
      decide: (as: keyof typeof users, decision = 'approve') =>
        one.ask('POST', `/api/waves/w1/gates/${gate.id}/${decision}`, { as, body: { comment: 'seen' } }),
    };
  }
  it('the requester never approves, others do, once', async () => {
    const { decide, ask } = await withGate();
    expect((await ask('GET', '/api/waves/w1', { as: 'alan' })).body.gates).toHaveLength(1);
    expect((await decide('linus')).status).toBe(403);
    expect((await decide('ada')).status).toBe(403);
    expect((await decide('grace')).body).toMatchObject({
      status: 'approved',
      decisions: [{ by: users.grace.oid, comment: 'seen' }],
    });
    expect((await decide('grace')).status).toBe(409);
    expect((await ask('GET', '/api/waves/w1/gates', { as: 'alan' })).body.gates[0].status).toBe('approved');
    expect((await ask('GET', '/api/waves/w1', { as: 'alan' })).body.gates).toEqual([]);
  });
  it('a commit is only rejected by someone who accepts the loss of data and says why', async () => {
    const { ask, reach, walk } = await withGate();
    await walk('db', ...wayToTraffic, 'validating');
    const gate = await reach.store.gates.get('w1', 'gate.data.uat.1-0');
    if (gate === undefined) throw new Error('no gate');
    await reach.store.gates.open({ ...gate, id: 'gate.data.commit.1-1', name: 'commit' });
    const reject = (body: object) =>
      ask('POST', '/api/waves/w1/gates/gate.data.commit.1-1/reject', { as: 'grace', body });
    for (const body of [{}, { comment: 'slow' }, { acceptDataLoss: true }]) {
      const refused = await reject(body);
      expect(refused.status).toBe(409);
      expect(refused.body.detail).toContain('acceptDataLoss');
    }
    expect((await reject({ comment: 'slow', acceptDataLoss: true })).body.status).toBe('rejected');
  });
  it('a commit gate that names operators lets them approve, and only an approver reject: that accepts the loss of data', async () => {
    const { ask, reach } = await withGate();
    const gate = gateOf(
      { id: 'gate.data.commit.1-1', name: 'commit', groupId: 'data', requester: users.alan.oid },
      { roles: ['operator', 'approver'] },
    );
    await reach.store.gates.open(gate);
    const decide = (as: keyof typeof users, decision: string) =>
      ask('POST', `/api/waves/w1/gates/${gate.id}/${decision}`, {
        as,
        body: { comment: 'slow', acceptDataLoss: decision === 'reject' },
      });
    const refused = await decide('ada', 'reject');
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('role approver')]);
    expect((await reach.store.gates.get('w1', gate.id))?.status).toBe('open');
    expect((await decide('linus', 'reject')).body.status).toBe('rejected');
    const again = gateOf({ ...gate, id: 'gate.data.commit.1-2' }, { roles: ['operator'] });
    await reach.store.gates.open(again);
    expect((await ask('POST', `/api/waves/w1/gates/${again.id}/approve`, { as: 'ada', body: {} })).status).toBe(200);
  });
  it('who is named may hand the vote to another, and anybody may comment', async () => {
    const { reach, ask } = await withGate();
    const named = gateOf({ id: 'gate.data.cutover.1-1', name: 'cutover' }, { approvers: ['grace'] });
    await reach.store.gates.open(named);
    const post = (what: string, as: keyof typeof users, body: object) =>
      ask('POST', `/api/waves/w1/gates/${named.id}/${what}`, { as, body });
    expect(await post('approve', 'linus', {})).toMatchObject({ status: 403 });
    expect(await post('delegate', 'grace', { to: 'linus' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'reason' }] },
    });
    expect(await post('delegate', 'grace', { to: 'linus', reason: 'on leave' })).toMatchObject({ status: 200 });
    expect(await post('comments', 'alan', { comment: 'the backup is done' })).toMatchObject({ status: 200 });
    expect(await post('approve', 'linus', { comment: 'for grace' })).toMatchObject({
      status: 200,
      body: {
        status: 'approved',
        decisions: [{ by: users.linus.oid, onBehalfOf: users.grace.oid }],
        comments: [{ by: users.alan.oid, text: 'the backup is done' }],
      },
    });
  });

  it('part of a group is approved only where the gate takes that', async () => {
    const { reach, ask } = await withGate();
    for (const partial of [false, true]) {
      const gate = gateOf({ id: `gate.shop.cutover.${partial}`, workloadIds: ['app', 'web'] }, { partial });
      await reach.store.gates.open(gate);
      const approve = (body: object) => ask('POST', `/api/waves/w1/gates/${gate.id}/approve`, { as: 'grace', body });
      expect(await approve({ workloads: ['app'] })).toMatchObject({ status: partial ? 200 : 409 });
      expect((await approve({ workloads: ['apq'] })).body.detail).toMatch(
        partial ? 'Did you mean "app"?' : 'as a whole',
      );
    }
  });

  it('a rejection is kept with its comment, and unknown gates are unknown', async () => {
    const { decide, ask } = await withGate();
    expect((await decide('grace', 'reject')).body.status).toBe('rejected');
    for (const id of ['gate.x', 'wave', encodeURIComponent('../wave')])
      expect((await ask('POST', `/api/waves/w1/gates/${id}/approve`, { as: 'grace', body: {} })).status).toBe(404);
  });
});

describe('a question about a failed step', () => {
  async function withQuestion(change: Partial<AttentionDocument> = {}) {
    const one = await started();
    const attention: AttentionDocument = {
      id: 'attention.1',
      kind: 'attention',
      waveId: 'w1',
      step: 's',
      workloadIds: ['db'],
      failure: { code: 'syncFailed', kind: 'terminal', message: 'm', suggestion: 's' },
      during: 'run',
      choices: ['retry', 'rollback'],
      status: 'open',
      openedAt: at,
      operationId: 'prepare-w1.db-1:help:0',
      ...change,
    };
    await one.reach.store.attentions.open(attention);
    return {
      ...one,
      answer: (as: keyof typeof users, body: object) =>
        one.ask('POST', '/api/waves/w1/attentions/attention.1', { as, body: { reason: 'r', ...body } }),
    };
  }
  it('is answered once, with one of its choices', async () => {
    const { answer } = await withQuestion({ choices: ['retry'] });
    expect((await answer('ada', { choice: 'rollback' })).status).toBe(409);
    expect((await answer('alan', { choice: 'retry' })).status).toBe(403);
    expect((await answer('ada', { choice: 'retry' })).body).toMatchObject({
      status: 'answered',
      answer: { choice: 'retry', by: users.ada.oid },
    });
    expect((await answer('ada', { choice: 'retry' })).status).toBe(409);
  });
  it('answered by rollback obeys the point of no return', async () => {
    const { answer, walk } = await withQuestion();
    await walk('db', ...wayToTraffic);
    expect((await answer('ada', { choice: 'rollback' })).status).toBe(409);
    expect((await answer('grace', { choice: 'rollback', acceptDataLoss: true })).status).toBe(200);
  });
  it('is found by the workload that waits', async () => {
    const { ask } = await withQuestion();
    expect((await ask('POST', '/api/waves/w1/workloads/web/retry', { as: 'ada' })).status).toBe(409);
    expect((await ask('POST', '/api/waves/w1/workloads/db/retry', { as: 'ada' })).body).toMatchObject({
      id: 'attention.1',
      answer: { choice: 'retry' },
    });
  });
});

it('a workload shows its state and its events in order, from where one left off', async () => {
  const { ask, walk } = await planned();
  await walk('db', 'preparing', 'replicating');
  expect((await ask('GET', '/api/waves/w1/workloads/db', { as: 'alan' })).body).toMatchObject({
    workloadId: 'db',
    state: { phase: 'replicating', version: 3 },
  });
  const { body } = await ask('GET', '/api/waves/w1/workloads/db/events?after=1', { as: 'alan' });
  expect(body.events.map(({ version, id }: { version: number; id: string }) => [version, id])).toEqual([
    [2, 'to-preparing'],
    [3, 'to-replicating'],
  ]);
  expect((await ask('GET', '/api/waves/w1/workloads/db/events?after=x', { as: 'alan' })).status).toBe(400);
  expect((await ask('GET', '/api/waves/w1/workloads/nobody', { as: 'alan' })).status).toBe(404);
});
