// One wave takes all twelve steps, up to the question whether to commit, and is withdrawn: what each step has changed, in
// Azure and on the source's side, is as it was before it began. The replicated points are kept.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stepNames } from '../../shared/model/steps.ts';
import { changeNothing, differing, type Facets, facetsOf } from './undo/facets.ts';
import { leaveTag, spoil } from './undo/spoil.ts';
import { type Set as StageSet, setStage } from './undo/stage.ts';
import { type Walk, walkAndWithdraw } from './undo/walk.ts';

let set: StageSet;
let walk: Walk;
const facets = stepNames.filter((name): name is keyof Facets => !changeNothing.includes(name));

beforeAll(async () => {
  set = await setStage();
  walk = await walkAndWithdraw(set.stage, set.plan, ({ wave }) => wave.gates.some(({ name }) => name === 'commit'));
}, 300_000);

afterAll(() => set.place.clear(), 60_000);

it('the wave was rolled back, and every workload is withdrawn with its points', async () => {
  expect(walk.status).toBe('rolledBack');
  for (const { workloadId } of set.plan.workloads) {
    const { state } = await set.stage.asAda.workload(set.plan.waveId, workloadId);
    expect(state.phase).toBe('withdrawn');
    expect(state.points.length).toBeGreaterThan(0);
  }
});

it('the clone was proven isolated by its rules and by probes; what this Azure does not simulate was not probed', async () => {
  const { events } = await set.stage.asAda.events(set.plan.waveId, 'db01');
  const proofs = events.flatMap((event) => (event.type === 'landfall.isolation.judged' ? [event.data] : []));
  expect(proofs.map(({ when, isolated }) => [when, isolated])).toEqual([
    ['beforeBoot', true],
    ['booted', true],
    ['tested', true],
  ]);
  const verdicts = proofs[1]?.probes.map(({ name, verdict }) => [name, verdict]) ?? [];
  expect(Object.fromEntries(verdicts)).toEqual({
    'record db.corp.example A': 'held',
    'name db-01': 'notRun',
    'name db.corp.example': 'held',
    'reverse 192.0.2.10': 'notRun',
    'clone to the name server of the site': 'held',
    'clone port 22': 'held',
    'clone port 443': 'held',
  });
});

it('a script ran on the target once, and what takes it back ran there before that went', async () => {
  const { events } = await set.stage.asAda.events(set.plan.waveId, 'db01');
  const changes = events.flatMap((event) => (event.type === 'landfall.effect.applied' ? event.data.changes : []));
  const said = changes.flatMap(({ verb, object, after }) =>
    object === 'action who it is (script)' ? [{ verb, after }] : [],
  );
  const after = { exitCode: 0, output: 'db-01\n', error: '' };
  expect(said).toEqual([
    { verb: 'applied', after },
    { verb: 'restored', after },
  ]);
});

it.each(facets)('%s had changed something', (facet) => {
  const seen = walk.seen[facet] ?? new Set();
  expect([...seen].filter((lines) => lines !== JSON.stringify(walk.before[facet]))).not.toEqual([]);
});

it.each(facets)('the undo of %s has put back what was there before', (facet) => {
  expect(walk.after[facet]).toEqual(walk.before[facet]);
});

// The planted faults come last: they stay.
it.each(facets)('something left of %s would be seen, there and nowhere else', async (facet) => {
  const { stage, plan } = set;
  const before = await facetsOf(stage, plan);
  const spoilt = await spoil[facet](set);
  expect(differing(before, await facetsOf(spoilt, plan))).toEqual([facet]);
});

it('a tag left on what was there before would be seen', async () => {
  const before = await facetsOf(set.stage, set.plan);
  await leaveTag(set);
  expect(differing(before, await facetsOf(set.stage, set.plan))).toEqual(['postCutover']);
});
