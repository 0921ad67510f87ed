import type { DurableOrchestrationContext, OrchestrationContext, Task } from 'durable-functions';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { crew, crewSize, inCrews, pack } from '../../../shared/durable/crew.ts';
import { Ctx, immediately } from '../../../shared/durable/flow.ts';
import { defineOrchestrator } from '../../../shared/durable/orchestrator.ts';

const stages = fc
  .array(fc.integer({ min: 0, max: 60 }), { maxLength: 100 })
  .map((sizes) => sizes.map((size, stage) => Array.from({ length: size }, (_, index) => `${stage}-${index}`)));

it('everybody is in one crew, no crew is above its size, and stages keep their order', () => {
  fc.assert(
    fc.property(stages, (given) => {
      const rounds = pack(given);
      const crews = rounds.flat();
      for (const crew of crews) expect(crew.flat().length).toBeLessThanOrEqual(crewSize);
      expect(rounds.flatMap((round) => round.flat(2))).toEqual(given.flat());
      // Crews side by side share one stage; a crew of several stages is alone in its round.
      for (const round of rounds) if (round.length > 1) expect(round.every(({ length }) => length === 1)).toBe(true);
    }),
  );
});

it('a hundred stages of one, or one stage of a hundred, need five crews', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index);
  expect(pack(hundred.map((each) => [each])).flat()).toHaveLength(5);
  expect(pack([hundred]).flat()).toHaveLength(5);
});

it('a crew and its members get the version of whoever sends them', () => {
  const started: unknown[][] = [];
  const df = {
    ...{ instanceId: 'group-1', version: '0.9' },
    getInput: () => ({ waveId: 'w1', work: 'child', stages: [[{ instanceId: 'child-1', input: null }]] }),
    waitForExternalEvent: () => ({}),
    callSubOrchestrator: (...call: unknown[]): Task => {
      started.push(call);
      return { isCompleted: true, isFaulted: false, result: {} };
    },
  } as unknown as DurableOrchestrationContext;
  const work = defineOrchestrator({ name: 'child', input: z.null(), output: z.object({}), run: () => immediately({}) });
  inCrews(new Ctx(df), work, [[{ instanceId: 'child-1', input: null }]], { waveId: 'w1', id: 'crew-1' }).next();
  crew.handler({ df } as unknown as OrchestrationContext).next();
  expect(started.map(([name, , instanceId, version]) => [name, instanceId, version])).toEqual([
    ['crew', 'crew-1-1.0.0', '0.9'],
    ['child', 'child-1', '0.9'],
  ]);
});
