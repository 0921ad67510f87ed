// Many children of one kind. Replaying a parent costs the square of its history, so a crew stands between them: a page
// of children each, and the parent remembers only its crews.
import { z } from 'zod';
import { all, type Ctx, type Flow, finish, firstOf } from './flow.ts';
import { begin, defineOrchestrator, type OrchestratorDefinition } from './orchestrator.ts';

/** How many children one crew has. */
export const crewSize = 20;

export interface Member<I> {
  instanceId: string;
  input: I;
}

const AnyMember = z.strictObject({ instanceId: z.string(), input: z.unknown() });
type AnyMember = z.infer<typeof AnyMember>;
const Outcomes = z.record(z.string(), z.unknown()).describe('by instance id, of those that ran');
type Outcomes = z.infer<typeof Outcomes>;
/** An outcome with a failure or an interruption: later stages do not begin. */
const Stopped = z.looseObject({ failure: z.unknown(), interrupted: z.unknown() }).partial();

/** Runs its members stage by stage, those of a stage side by side. */
export const crew = defineOrchestrator({
  name: 'crew',
  input: z.strictObject({ waveId: z.string(), work: z.string(), stages: z.array(z.array(AnyMember)) }),
  output: Outcomes,
  *run(ctx, { work, stages }) {
    const outcomes: Outcomes = {};
    for (const stage of stages) {
      const ended = yield* all(stage.map(({ instanceId, input }) => finish(begin(ctx, work, input, instanceId))));
      for (const [index, { instanceId }] of stage.entries()) outcomes[instanceId] = ended[index];
      if (ended.some(stops)) break;
    }
    return outcomes;
  },
});

function stops(outcome: unknown): boolean {
  const { data } = Stopped.safeParse(outcome);
  return data?.failure !== undefined || data?.interrupted !== undefined;
}

interface Crewed {
  waveId: string;
  /** Leads the crews' instance ids; repeated calls with one id are counted. */
  id: string;
  /** Whether control need not wait for them: for work that only looks. What is left behind ends by itself. */
  mayBeLeft?: boolean;
}

/**
 * Runs one child per member, stage after stage, and returns their outcomes by instance id. An outcome with `failure` or
 * `interrupted` lets its stage come to rest and keeps the later ones from beginning.
 */
export function* inCrews<I, O>(
  ctx: Ctx,
  work: OrchestratorDefinition<I, O>,
  stages: readonly (readonly Member<I>[])[],
  { waveId, id, mayBeLeft = false }: Crewed,
): Flow<Map<string, O>> {
  const turn = ctx.nextCount(id);
  const outcomes = new Map<string, O>();
  for (const [round, crews] of pack(stages.map((stage) => stage.map(plain(work)))).entries()) {
    const tasks = crews.map((paged, page) =>
      begin(ctx, crew.name, { waveId, work: work.name, stages: paged }, `${id}-${turn}.${round}.${page}`),
    );
    const ended = yield* all(tasks.map((task) => (mayBeLeft ? leaving(ctx, task) : finish(task))));
    const found = ended.flatMap((each) => Object.entries(Outcomes.parse(each)));
    for (const [instanceId, outcome] of found) outcomes.set(instanceId, work.output.parse(outcome));
    if (found.some(([, outcome]) => stops(outcome))) break;
  }
  return outcomes;
}

function plain<I>({ input: schema }: OrchestratorDefinition<I, unknown>): (member: Member<I>) => AnyMember {
  return ({ instanceId, input }) => ({ instanceId, input: schema.parse(input) });
}

function* leaving(ctx: Ctx, task: Parameters<typeof finish>[0]): Flow<unknown> {
  yield* firstOf(ctx, [task]);
  return yield* finish(task);
}

/** Rounds of crews: short stages share one crew, a long one is spread over several side by side. */
export function pack<T>(stages: readonly (readonly T[])[]): T[][][][] {
  const rounds: T[][][][] = [];
  let open: T[][] | undefined;
  for (const stage of stages) {
    if (stage.length === 0) continue;
    const used = open?.reduce((sum, { length }) => sum + length, 0) ?? 0;
    if (open !== undefined && used + stage.length <= crewSize) open.push([...stage]);
    else if (stage.length <= crewSize) {
      open = [[...stage]];
      rounds.push([open]);
    } else {
      open = undefined;
      rounds.push(chunks(stage).map((chunk) => [chunk]));
    }
  }
  return rounds;
}

function chunks<T>(items: readonly T[]): T[][] {
  const count = Math.ceil(items.length / crewSize);
  return Array.from({ length: count }, (_, index) => items.slice(index * crewSize, (index + 1) * crewSize));
}
