// The evidence pack of waves that really ran, in the modelled world.
import { expect, it } from 'vitest';
import { evidenceRoutes } from '../../../functions/http/evidence.ts';
import { buildPack } from '../../../shared/evidence/build.ts';
import { evidenceHtml } from '../../../shared/evidence/html.ts';
import { EvidencePack } from '../../../shared/evidence/pack.ts';
import { verifyWave } from '../../../shared/journal/verifyWave.ts';
import { World } from '../../orchestrators/world/world.ts';

async function ask(world: World, query: Record<string, string> = {}) {
  const [route] = evidenceRoutes;
  const call = { capabilities: world.capabilities, request: { query: new URLSearchParams(query) }, param: () => 'w1' };
  const answer = await route?.handle(call as never);
  return { headers: answer?.headers as Record<string, string>, body: String(answer?.body) };
}
const pack = async (world: World, query: Record<string, string> = {}) =>
  EvidencePack.parse(JSON.parse((await ask(world, query)).body));

it('tells of a committed wave: windows, downtime, approvals, isolation, checks, effects, and a valid journal', async () => {
  const world = await World.open();
  await world.start();
  await world.ended();
  await world.close();
  const told = await pack(world);
  expect(told).toMatchObject({ waveId: 'w1', status: 'committed', journal: { valid: true, misfits: [], verified: 3 } });
  expect(told.groups.map(({ status, inWindow }) => [status, inWindow])).toEqual([
    ['committed', true],
    ['committed', true],
  ]);
  for (const { downtime } of told.workloads) {
    expect(downtime?.seconds).toBeGreaterThan(0);
    expect(downtime?.predicted?.highSeconds).toBeGreaterThan(0);
  }
  expect(
    told.approvals
      .filter(({ decision }) => decision === 'approve')
      .map(({ gate }) => gate)
      .sort(),
  ).toEqual(['commit', 'commit', 'cutover', 'cutover', 'uat', 'uat']);
  expect(told.environmentSteps.map(({ step, status }) => `${step} ${status}`)).toContain('migrationAppliance undone');
  const db = told.sections.find(({ workloadId }) => workloadId === 'db');
  expect(db?.steps.map(({ step }) => step)).toEqual([
    'osAgent',
    'sourceOnboarding',
    'initialSync',
    'deltaSyncs',
    'uat',
    'stopServices',
    'finalDelta',
    'postCutover',
    'finalValidation',
  ]);
  expect(db?.isolation.map(({ when, isolated }) => [when, isolated])).toEqual([
    ['beforeBoot', true],
    ['booted', true],
    ['tested', true],
  ]);
  expect(db?.isolation[1]?.said.join()).toContain('clone port 22: held');
  expect(db?.checks.every(({ passed }) => passed)).toBe(true);
  const power = db?.effects.find(({ what }) => what === 'asked to shut down source db-01');
  expect(power).toMatchObject({ before: 'on', after: 'off' });
});

it('tells what failed, who answered what, and what was undone', async () => {
  const world = await World.open();
  const failure = { code: 'azureRejected', kind: 'terminal', message: 'No <disk>.', suggestion: 'Ask.' } as const;
  world.script.fail('applyAction', failure);
  await world.start();
  await world.question();
  await world.people.answer('rollback');
  await world.ended();
  await world.close();
  const told = await pack(world);
  expect(told.questions[0]).toMatchObject({ step: 'postCutover', failure: 'No <disk>.' });
  expect(told.questions[0]?.answer).toMatch(/^rollback by user:carl/);
  expect(told.undone.filter(({ workloadId }) => workloadId === 'db').map(({ step }) => step)).toEqual(
    expect.arrayContaining(['postCutover', 'finalDelta', 'stopServices', 'uat']),
  );
  expect(new Set(told.undone.map(({ why }) => why))).toEqual(new Set(['rollback by carl: told so']));
  expect(told.journal.valid).toBe(true);
});

it('is a page of its own: escaped, without a script, and with a link to the next workloads', async () => {
  const world = await World.open();
  await world.start();
  await world.ended();
  await world.close();
  await world.capabilities.store.waves.change('w1', (wave) => ({
    ...wave,
    plan: { ...wave.plan, name: `<script>alert("1")</script> & 'more'` },
  }));
  const { headers, body } = await ask(world, { format: 'html', limit: '2' });
  expect(headers['content-security-policy']).toBe("default-src 'none'; style-src 'unsafe-inline'");
  expect(body).toContain('<h1>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;more&#39;</h1>');
  expect(body).not.toMatch(/<script|<link|<img|https?:/i);
  expect(body).toContain('<a href="?format=html&amp;limit=2&amp;after=db">');
  const first = await pack(world, { limit: '2' });
  const second = await pack(world, { limit: '2', after: first.next ?? '' });
  expect([...first.sections, ...second.sections].map(({ workloadId }) => workloadId)).toEqual(['app', 'db', 'web']);
  expect([first.journal.verified, second.journal.verified, second.next]).toEqual([2, 1, undefined]);
  await expect(ask(world, { format: 'pdf' })).rejects.toThrow('ask for json or html');
});

it('of a thousand workloads has a row for each and stays readable in size', async () => {
  const world = await World.open();
  await world.start();
  await world.ended();
  await world.close();
  const { store } = world.capabilities;
  const [one] = await store.workloads.list('w1');
  const wave = world.wave();
  const groups = await store.plans.groups(wave.plan);
  const verification = await verifyWave(store, 'w1', []);
  const workloads = Array.from({ length: 1000 }, (_, n) => ({
    ...(one as NonNullable<typeof one>),
    workloadId: `w-${n}`,
  }));
  const entries = await store.journal.entries('w1');
  const builtAt = world.capabilities.now();
  const whole = buildPack({ wave, groups, workloads, entries, verification, events: new Map(), builtAt, next: 'w-0' });
  expect(whole.workloads).toHaveLength(1000);
  expect(JSON.stringify(whole).length).toBeLessThan(600_000);
  expect(evidenceHtml(whole, () => '').length).toBeLessThan(600_000);
});
