// The stories whose histories are kept: between them they take every step, undo every step, and ask people everything.
import { broken } from '../orchestrators/world/expectations.ts';
import type { World } from '../orchestrators/world/world.ts';

type Story = (world: World) => Promise<unknown>;

const completed = (step: string) => (input: Record<string, unknown>) => {
  const { what } = input as { what: { type: string; data: { step?: string } } };
  return what.type === 'landfall.step.completed' && what.data.step === step;
};

const gateOf = (world: World, name: string) => world.openGates().find((gate) => gate.name === name);

export const stories: Record<string, Story> = {
  committed: (world) => world.start(),
  async rolledBackAfterStep10(world) {
    world.script.once('recordStep', () => world.people.rollBack(), { matches: completed('finalDelta') });
    await world.start();
  },
  async withdrawnAfterTrafficMoved(world) {
    world.script.once('recordStep', () => world.people.rollBack('withdrawn'), { matches: completed('postCutover') });
    await world.start();
  },
  async askedAndRetried(world) {
    world.script.fail('createMachine', broken, { matches: ({ purpose }) => purpose === 'cutover' });
    await world.start();
    await world.question();
    await world.people.answer('retry');
  },
  async pausedAndResumed(world) {
    world.script.once('recordStep', () => world.people.pause(), { matches: completed('sourceOnboarding') });
    await world.start();
    await world.until(() => Object.values(world.phases()).includes('paused'), 'a pause');
    await world.people.resume();
  },
  async deferredAndIncomplete(world) {
    delete world.people.atGate.cutover;
    await world.start();
    for (;;) {
      await world.until(() => world.hasEnded() || gateOf(world, 'cutover') !== undefined, 'a cutover gate');
      const gate = gateOf(world, 'cutover');
      if (gate === undefined) return;
      if (gate.workloadIds.includes('web')) {
        await world.people.turn('defer', 'web');
        await world.until(() => gateOf(world, 'cutover')?.id !== gate.id, 'another gate');
      } else await world.people.approve(gate);
    }
  },
  async validatedTwice(world) {
    delete world.people.atGate.commit;
    await world.start();
    await world.until(() => gateOf(world, 'commit') !== undefined, 'the commit gate');
    const first = gateOf(world, 'commit');
    await world.people.validate('data');
    await world.until(() => ![undefined, first?.id].includes(gateOf(world, 'commit')?.id), 'another commit gate');
    world.people.atGate.commit = 'approve';
    const again = gateOf(world, 'commit');
    if (again !== undefined) await world.people.approve(again);
  },
  async answeredWithRollback(world) {
    world.script.fail('preflightSource', broken, { matches: ({ workloadId }) => workloadId === 'web' });
    await world.start();
    await world.question();
    await world.people.answer('rollback');
  },
  async heldAtTheCutover(world) {
    world.people.atGate.cutover = 'reject';
    await world.start();
  },
};
