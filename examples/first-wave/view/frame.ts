// One picture of the live view: a pure function of what is known, so that it can be tested without a terminal.
import type pc from 'picocolors';
import type { StepRecord } from '../../../shared/lifecycle/state.ts';
import type { WaveView, WorkloadView } from '../../harness/api.ts';
import { steps } from '../../harness/steps.ts';
import type { Snapshot } from '../../harness/watch.ts';
import { percentOf } from './changes.ts';
import { bytes, clock, duration } from './format.ts';

type StepStatus = 'pending' | 'unneeded' | Exclude<StepRecord['status'], 'undoFailed'>;
type Colors = ReturnType<typeof pc.createColors>;

export interface Moment {
  now: number;
  began: number;
  /** Counts up with every picture. */
  turn: number;
  /** Display names by token subject. */
  people: ReadonlyMap<string, string>;
  colors: Colors;
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** A gap before steps 4, 8, 9 and 11: environment, preparation, test, cutover, afterwards. */
const gaps: ReadonlySet<number> = new Set([4, 8, 9, 11]);

/** The picture's lines, at most 80 columns wide for names of usual length. */
export function frame(snapshot: Snapshot | undefined, moment: Moment): string[] {
  const { colors, now, began } = moment;
  const elapsed = colors.dim(clock(now - began));
  if (!snapshot) return ['', `  ${spin(moment)} ${colors.bold('getting ready')}  ${elapsed}`];
  const { wave } = snapshot;
  const head = wave.endedAt === undefined ? spin(moment) : wave.status === 'committed' ? colors.green('✔') : '■';
  const idWidth = Math.max(8, ...wave.groups.flatMap(({ workloads }) => workloads.map((one) => one.workloadId.length)));
  return [
    '',
    `  ${head} ${colors.bold(wave.name)}  ${wave.status}  ${elapsed}`,
    ...wave.groups.flatMap((group) => [
      '',
      groupLine(group, snapshot, moment),
      ...group.workloads.map((workload) =>
        'phase' in workload
          ? workloadLine(workload, snapshot, idWidth, moment)
          : `    ${workload.workloadId.padEnd(idWidth)}  ${colors.dim('registered')}`,
      ),
    ]),
    '',
    ...wave.attentions.flatMap(({ step, failure }) => [
      colors.red(`  ✖ ${step}: ${failure.message}`),
      `    ${failure.suggestion}`,
    ]),
    colors.dim('  1-3 environment  4-7 prepare  8 test  9-10 cut over  11-12 land  · not needed'),
  ];
}

function groupLine(group: WaveView['groups'][number], { gates }: Snapshot, moment: Moment): string {
  const { colors, people } = moment;
  const shown = (['uat', 'cutover', 'commit'] as const).flatMap((name) => {
    const gate = gates.findLast((one) => one.groupId === group.id && one.name === name);
    if (gate === undefined) return [];
    const by = gate.decisions.map((decision) => people.get(decision.by) ?? decision.by).join(', ');
    switch (gate.status) {
      case 'open':
        return [`${name} ${colors.yellow(`${spin(moment)} waits for approval`)}`];
      case 'approved':
        return [`${name} ${colors.green('✔')} ${colors.dim(by)}`];
      default:
        return [`${name} ${colors.red(`✘ ${gate.status}`)} ${colors.dim(by)}`];
    }
  });
  const waiting =
    group.dependsOn.length > 0 && !gates.some((gate) => gate.groupId === group.id && gate.name === 'cutover');
  const after = waiting ? colors.dim(`after ${group.dependsOn.join(', ')}`) : '';
  const status = spelled(group.status ?? 'planned').padEnd(13);
  const name = colors.bold(group.id.padEnd(12));
  return `  ${name} ${group.status === 'committed' ? colors.green(status) : status} ${[...shown, after].filter((text) => text !== '').join('  ')}`;
}

function workloadLine(workload: WorkloadView, snapshot: Snapshot, idWidth: number, moment: Moment): string {
  const statuses = statusesOf(workload, snapshot);
  const glyphs = statuses.map((status, index) => (gaps.has(index + 1) ? ' ' : '') + glyph(status, moment)).join('');
  const running = steps.findLast((_, index) => ['running', 'failed'].includes(statuses[index] ?? ''));
  const title = running === undefined || workload.phase === 'committed' ? phaseTitle(workload.phase) : running.title;
  return `    ${workload.workloadId.padEnd(idWidth)} ${glyphs}  ${title.padEnd(24)} ${activity(workload, moment)}`.trimEnd();
}

/** A workload waits for steps 1 to 3 also where none of them is for it. */
const phaseTitle = (phase: WorkloadView['phase']): string =>
  phase === 'registered' ? 'waits for environment' : spelled(phase);

function statusesOf({ phase, method, steps: own }: WorkloadView, { wave }: Snapshot): StepStatus[] {
  const unneeded = method === 'agentless' ? 'osAgent' : 'sourceWorker';
  return steps.map(({ name, number }) => {
    if (name === unneeded) return 'unneeded';
    const status = (number <= 3 ? wave.steps : own)[name]?.status ?? 'pending';
    // The last wave to leave an environment takes back what was made for it: that undoes nothing of this workload's.
    if (number <= 3 && phase === 'committed') return 'completed';
    return status === 'undoFailed' ? 'failed' : status;
  });
}

function glyph(status: StepStatus, moment: Moment): string {
  const { colors } = moment;
  switch (status) {
    case 'completed':
      return colors.green('●');
    case 'running':
      return colors.cyan(spin(moment));
    case 'failed':
      return colors.red('✖');
    case 'undone':
      return colors.yellow('↺');
    case 'skipped':
      return colors.yellow('●');
    case 'unneeded':
      return colors.dim('·');
    case 'pending':
      return colors.dim('○');
  }
}

/** What the workload's sync does, or how long nobody serves. */
function activity({ sync, totals, lagSeconds, lastPoint, downtime, phase }: WorkloadView, moment: Moment): string {
  const { colors, now } = moment;
  if (sync.status === 'stalled') return colors.red(`${sync.kind} sync stalled`);
  const copying = sync.status === 'running' && sync.kind !== 'delta' && sync.progress;
  if (copying) {
    const { doneBytes, bytesPerSecond } = copying;
    return `${bar(percentOf(copying) ?? 0, colors)} ${bytes(doneBytes)} ${colors.dim(`${bytes(bytesPerSecond)}/s`)}`;
  }
  if (downtime?.ended !== undefined)
    return colors.dim(`was down for ${duration(Date.parse(downtime.ended) - Date.parse(downtime.began))}`);
  if (downtime !== undefined) return colors.yellow(`down ${duration(Math.max(0, now - Date.parse(downtime.began)))}`);
  if (lastPoint === undefined) {
    if (sync.status === 'queued') return colors.dim('waits for its turn');
    return sync.status === 'running' ? colors.dim('begins to read') : '';
  }
  if (phase === 'committed' || phase === 'withdrawn') return '';
  const spinning = sync.status === 'running' ? colors.cyan(spin(moment)) : ' ';
  return `${spinning} Δ ${totals.deltas}  ${bytes(totals.deltaBytes)}  ${colors.dim(`lag ${lagSeconds} s`)}`;
}

function bar(percent: number, colors: Colors): string {
  const full = Math.round((percent * 8) / 100);
  return colors.cyan('▰'.repeat(full)) + colors.dim('▱'.repeat(8 - full));
}

const spin = ({ turn }: Moment): string => spinner[turn % spinner.length] ?? '⠋';

/** camelCase as words: cuttingOver → cutting over. */
const spelled = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
