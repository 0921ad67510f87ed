// The deterministic engine with the rehearsed app in it, in one of two ways.
import { DeterministicEngine, type DeterministicOptions } from '../../local/durable/deterministic.ts';
import type { Registrations } from '../../local/host/coreModule.ts';
import { Invoker } from '../../local/host/invoke.ts';
import { HostLog } from '../../local/host/log.ts';
import { activities } from '../../orchestrators/all.ts';
import { type Activity, stage } from '../app/stage.ts';
import { LiveEpisodes } from './liveEpisodes.ts';

/**
 * `always`: every episode is replayed twice from its history, through the host's invocation model, and held against
 * itself. `live`: orchestrations go on from where they wait, and activities are called directly.
 */
export type Replay = 'always' | 'live';

export interface EngineSetting extends Pick<DeterministicOptions, 'clock' | 'seed' | 'faults'> {
  registrations: Registrations;
  replay: Replay;
  /** Counts an invocation as going on. */
  track<T>(work: Promise<T>): Promise<T>;
  /** Hears of every orchestration that begins, perhaps more than once. */
  onBegin(instanceId: string, parentId: string | undefined): void;
  /** Hears of every episode that is replayed: what an orchestrator was told, and what it answered. */
  onEpisode(instanceId: string, name: string, told: string, answered: unknown): void;
}

const byName = new Map<string, Activity>(activities.map((activity) => [activity.name, activity]));

export function startEngine({
  registrations,
  replay,
  track,
  onBegin,
  onEpisode,
  ...options
}: EngineSetting): DeterministicEngine {
  const { functions } = registrations;
  const invoker = new Invoker(registrations, new HostLog(undefined, 'none'), () => undefined);
  const live = new LiveEpisodes();
  stage.begins = (context) => {
    onBegin(context.df.instanceId, context.df.parentInstanceId);
    if (replay === 'live') live.begins(context);
  };
  return new DeterministicEngine({
    ...options,
    alwaysReplay: replay === 'always',
    has: (_kind, name) => functions.has(name),
    invoke: (invocation) => {
      const { kind, name } = invocation;
      const target = functions.get(name);
      if (!target) throw new Error(`no function ${name}`);
      const hosted = async () => {
        const { result } = await invoker.invoke(target, { data: { json: invocation.json } });
        if (kind === 'orchestration') onEpisode(invocation.instanceId, name, invocation.json, result);
        return result;
      };
      if (replay === 'always') return track(hosted());
      const activity = kind === 'activity' ? byName.get(name) : undefined;
      return track(
        activity === undefined
          ? live.play(invocation, hosted)
          : stage.perform(activity, JSON.parse(invocation.json) as unknown),
      );
    },
  });
}
