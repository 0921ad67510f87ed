// Looks at a wave again and again until there is nothing more to see.
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateDocument } from '../../shared/store/documents.ts';
import { type Api, Unreachable, type WaveView } from './api.ts';

export interface Snapshot {
  at: number;
  wave: WaveView;
  /** Open and decided ones. */
  gates: GateDocument[];
}

export interface Watching {
  everyMs: number;
  withinMs: number;
  signal?: AbortSignal;
  /** Called with every look, in order; the next one waits for it. */
  seen(snapshot: Snapshot): void | Promise<void>;
  /** Whether to stop here though the wave has not ended. */
  enough?(snapshot: Snapshot): boolean;
}

const ended: ReadonlySet<WaveView['status']> = new Set(['committed', 'rolledBack', 'cancelled', 'failed']);

export const hasEnded = ({ wave }: Snapshot): boolean => ended.has(wave.status) && wave.endedAt !== undefined;

/** The last look: the wave has ended, or `enough` says so. Throws when that takes too long. */
export async function watchWave(api: Api, waveId: string, watching: Watching): Promise<Snapshot> {
  const { everyMs, withinMs, signal, seen, enough = () => false } = watching;
  const until = Date.now() + withinMs;
  let last: Snapshot | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const snapshot = await look(api, waveId, last);
    if (snapshot) {
      last = snapshot;
      await seen(snapshot);
      if (hasEnded(snapshot) || enough(snapshot)) return snapshot;
    }
    if (Date.now() > until)
      throw new Error(
        last
          ? `The wave has not ended after ${withinMs / 1000} s; it is ${last.wave.status}.`
          : `The API gave no answer within ${withinMs / 1000} s.`,
      );
    await sleep(everyMs, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
  }
}

/** Undefined while nothing answers: a restart is none of our business. Asks only for what may have changed. */
async function look(api: Api, waveId: string, last: Snapshot | undefined): Promise<Snapshot | undefined> {
  try {
    const wave = await api.wave(waveId);
    const open = (known: readonly GateDocument[]) =>
      known.flatMap(({ id, status }) => (status === 'open' ? [id] : [])).join();
    const sameGates = last && open(last.gates) === open(wave.gates);
    return { at: Date.now(), wave, gates: sameGates ? last.gates : await api.gates(waveId) };
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}
