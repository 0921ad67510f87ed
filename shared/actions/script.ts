import { z } from 'zod';
import type { ScriptOutcome } from '../azure/contract.ts';
import { terminal } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { Duration } from '../model/ids.ts';
import { secretIn, withoutSecrets } from '../model/secretShapes.ts';
import { durationMs } from '../policy/duration.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction, type Place, type Reach } from './action.ts';
import { named } from './named.ts';

/** An activity waits for the end of a script, and the host lets none run for longer than ten minutes (host.json). */
const longestMs = 8 * 60_000;
/** What the journal keeps of each of its outputs, in characters. */
const kept = 2_000;

const Line = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((line, { addIssue }) => {
    const what = secretIn(line);
    if (what !== undefined)
      addIssue({
        code: 'custom',
        message: `this looks like ${what}, and everybody who may read a plan reads it: let the script fetch it where it runs`,
      });
  });
const Lines = z.array(Line).min(1).max(50);

const schema = z.strictObject({
  kind: z.literal('script'),
  ...named,
  run: Lines.describe('a script for the shell of the target, line by line; it runs as root'),
  undo: Lines.optional().describe('what takes it back on the way back; absent: nothing, it goes with the target'),
  within: Duration.default('PT2M').refine(
    (within) => durationMs(within) > 0 && durationMs(within) <= longestMs,
    'give it between a second and eight minutes: what takes longer is started by the script and looked at by a check',
  ),
});
type Script = z.infer<typeof schema>;

/** Runs a script on the target, and another one on the way back. */
export const script: Action<typeof schema> = defineAction({
  schema,
  remembered: true,
  time: estimate(30, 180),
  needs: () => ['read', 'write', 'delete'].map((verb) => `Microsoft.Compute/virtualMachines/runCommands/${verb}`),
  against: (_action, environment) => forbidding(environment),
  async precheck(_reach, { environment }) {
    const against = forbidding(environment);
    if (against !== undefined) throw terminal('forbidden', `The ${against.message}.`, `Way out: ${against.fix}.`);
  },
  async run(reach, place, action) {
    const outcome = await ran(reach, place, action, place.operationId, action.run);
    return { before: 'not run', after: outcome };
  },
  // It has ended with 0; what it has done, a check may see.
  look: async () => ({ is: 'run', wanted: 'run' }),
  undo: {
    when: ({ undo }) => undo !== undefined,
    before: z.null(),
    time: estimate(30, 180),
    capture: async () => null,
    async run(reach, place, action) {
      const { environment, machine } = place;
      if ((await reach.azure.compute.findMachine(environment, machine)) === undefined)
        return { before: 'run', after: 'gone with its target' };
      return { before: 'run', after: await ran(reach, place, action, `${place.operationId}:undo`, action.undo ?? []) };
    },
    todo: ({ name, undo = [] }, _before, { machine }) =>
      `run on ${machine} what takes "${name}" back: ${undo.join('; ')}`.slice(0, 500),
  },
});

/** Plans are a planner's to post, and a script is root on a target: whether that may be is the administrator's to say. */
function forbidding({ id, scripts }: Environment): { message: string; fix: string } | undefined {
  if (scripts === true) return undefined;
  return {
    message: `environment "${id}" lets no plan run scripts: they run as root on targets`,
    fix: 'leave the script out, or have an administrator put the environment with "scripts": true',
  };
}

async function ran(
  { azure }: Reach,
  { environment, machine }: Place,
  { name, within }: Script,
  id: string,
  lines: readonly string[],
): Promise<ScriptOutcome> {
  const withinSeconds = Math.ceil(durationMs(within) / 1000);
  const { exitCode, output, error } = await azure.compute.runScript(environment, machine, { id, lines, withinSeconds });
  const shown = (text: string) => withoutSecrets(text).slice(-kept);
  const said = { exitCode, output: shown(output), error: shown(error) };
  if (exitCode === 0) return said;
  throw terminal(
    'checkFailed',
    `The script "${name}" ended with ${exitCode} on ${machine}.`,
    'Read what it said and mend that, then retry: it runs again from its beginning. Or leave the action out, or roll back.',
    `${said.output}\n${said.error}`,
  );
}
