// One workload's part of an evidence pack, from its events.
import { showEvent } from '../journal/show.ts';
import { msBetween } from '../policy/duration.ts';
import type { EventDocument } from '../store/documents.ts';
import type { Attempt, Section } from './pack.ts';

const effectsAtMost = 200;
const longestEvidence = 2_000;

/** A text, cut where it is long, and how much is missing. */
export function cut(value: string, longest: number): string {
  return value.length <= longest ? value : `${value.slice(0, longest)}… (${value.length - longest} more characters)`;
}

const spelled = (value: unknown, longest = longestEvidence): string =>
  value === undefined ? '' : cut(typeof value === 'string' ? value : JSON.stringify(value), longest);

interface Entry {
  type: string;
  time: string;
  source: string;
  data: unknown;
}
type Data = Readonly<Record<string, unknown>>;

const ends: Readonly<Record<string, string>> = {
  'landfall.step.completed': 'completed',
  'landfall.step.skipped': 'skipped',
  'landfall.step.failed': 'failed',
  'landfall.step.undone': 'undone',
  'landfall.step.undoFailed': 'undo failed',
};

/** Every attempt of every step that came to an end, and every undo, in order. */
export function attemptsOf(entries: readonly Entry[]): Attempt[] {
  const began = new Map<string, { at: string; attempt: number }>();
  return entries.flatMap(({ type, time, source, data: unknown }): Attempt[] => {
    const data = unknown as Data;
    const step = String(data['step']);
    if (type === 'landfall.step.started') began.set(step, { at: time, attempt: Number(data['attempt']) });
    const status = ends[type];
    if (status === undefined) return [];
    const begun = status.startsWith('undo') ? undefined : began.get(step);
    const failure = data['failure'] as { message: string } | undefined;
    const by = data['by'] ?? (data['byHand'] as Data | undefined)?.['by'];
    return [
      {
        step,
        attempt: Number(data['attempt'] ?? begun?.attempt ?? began.get(step)?.attempt ?? 1),
        status,
        began: begun?.at,
        ended: time,
        seconds: begun && Math.max(0, msBetween(begun.at, time) / 1000),
        by: typeof by === 'string' ? `user:${by}` : source,
        why: failure?.message ?? (typeof data['reason'] === 'string' ? data['reason'] : undefined),
        evidence: data['evidence'] === undefined || data['evidence'] === null ? undefined : spelled(data['evidence']),
      },
    ];
  });
}

/** What a workload went through. */
export function sectionOf(workloadId: string, documents: readonly EventDocument[]): Section {
  const events = documents.map(({ event }) => event);
  const isolation: Section['isolation'] = [];
  const checks: Section['checks'] = [];
  for (const { type, time, data } of events) {
    if (type === 'landfall.validation.judged')
      for (const { name, passed, detail } of data.results)
        checks.push({ at: time, step: 'finalValidation', name, passed, detail: cut(detail, 500) });
    if (type === 'landfall.isolation.judged') {
      const { when, isolated, reasons, rules, probes } = data;
      const said = [
        ...rules,
        ...probes.map((probe) => `${probe.name}: ${probe.verdict} (${probe.detail})`),
        ...reasons,
      ];
      isolation.push({ at: time, when, isolated, said: said.map((line) => cut(line, 500)) });
    }
    if (type !== 'landfall.step.completed' || data.step !== 'uat') continue;
    const { tested = [] } = data.evidence as {
      tested?: { results: { name: string; passed: boolean; detail: string }[] }[];
    };
    for (const { name, passed, detail } of tested.flatMap(({ results }) => results))
      checks.push({ at: time, step: 'uat', name, passed, detail: cut(detail, 500) });
  }
  const effects = documents.flatMap((document) => {
    if (document.event.type !== 'landfall.effect.applied' && document.event.type !== 'landfall.effect.failed')
      return [];
    const { time, what, before, after } = showEvent(document);
    return [{ at: time, what: cut(what, 500), before: spelled(before, 300), after: spelled(after, 300) }];
  });
  return {
    workloadId,
    steps: attemptsOf(events),
    isolation,
    checks,
    effects: effects.slice(0, effectsAtMost),
    effectsLeftOut: Math.max(0, effects.length - effectsAtMost),
  };
}
