import type { Finding } from '../invariants/invariant.ts';
import type { Rehearsal } from '../rehearse.ts';
import { type Times, timesOf } from './times.ts';

/** One seed, as data for people and programs. */
export interface SeedReport extends Times {
  seed: number;
  waves: Rehearsal['waves'];
  workloads: Rehearsal['phases'];
  from: string;
  to: string;
  story: string[];
  deeds: string[];
  activities: number;
  transitions: number;
  findings: Finding[];
  /** The command that tells this seed again. */
  again: string;
  digest: string;
}

export function reportOf(rehearsal: Rehearsal, again: readonly string[]): SeedReport {
  const { seed, waves, phases: workloads, startedAt: from, endedAt: to, world, findings, digest } = rehearsal;
  const { story, deeds, activities, transitions } = rehearsal;
  const command = ['landfall', 'rehearse', ...again, '--seed', String(seed)].map(quoted).join(' ');
  return {
    seed,
    waves,
    workloads,
    from,
    to,
    story,
    deeds,
    activities,
    transitions,
    findings,
    again: command,
    digest,
    ...timesOf(world, rehearsal.intervals),
  };
}

const quoted = (word: string): string => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
