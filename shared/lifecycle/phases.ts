// The phases of a workload and the one table of moves between them. The diagram in docs/ is generated from it.

export const Phase = {
  registered: 'registered',
  preparing: 'preparing',
  replicating: 'replicating',
  testing: 'testing',
  tested: 'tested',
  cutoverQueued: 'cutoverQueued',
  stoppingServices: 'stoppingServices',
  finalSync: 'finalSync',
  sourceOff: 'sourceOff',
  launching: 'launching',
  trafficMoved: 'trafficMoved',
  validating: 'validating',
  committed: 'committed',
  attention: 'attention',
  paused: 'paused',
  rollingBack: 'rollingBack',
  withdrawn: 'withdrawn',
  unregistered: 'unregistered',
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** Moves that work makes by itself. `attention`, `paused` and `rollingBack` are reachable from every active phase, see `mayMove`. */
export const moves: Readonly<Record<Phase, readonly Phase[]>> = {
  registered: ['preparing', 'unregistered'],
  preparing: ['replicating'],
  replicating: ['testing', 'cutoverQueued'],
  testing: ['tested', 'replicating'],
  tested: ['cutoverQueued', 'replicating'],
  cutoverQueued: ['stoppingServices', 'replicating'],
  stoppingServices: ['finalSync'],
  finalSync: ['sourceOff'],
  sourceOff: ['launching'],
  launching: ['trafficMoved'],
  trafficMoved: ['validating'],
  validating: ['committed'],
  committed: [],
  attention: [],
  paused: [],
  rollingBack: ['replicating', 'withdrawn'],
  withdrawn: ['preparing', 'unregistered'],
  unregistered: ['registered'],
};

/** Phases that nothing leaves by itself. */
export const finalPhases: ReadonlySet<Phase> = new Set([Phase.committed, Phase.withdrawn, Phase.unregistered]);
/** Phases in which a workload has nothing in hand: its plan may still be another one. */
export const idlePhases: ReadonlySet<Phase> = new Set([Phase.registered, Phase.withdrawn, Phase.unregistered]);
/** Phases that wait for a person. */
export const needsPerson: ReadonlySet<Phase> = new Set([Phase.attention, Phase.paused]);
/** Phases in which work goes on: neither final, nor waiting for a person, nor being undone. */
export const activePhases: ReadonlySet<Phase> = new Set(
  Object.values(Phase).filter(
    (phase) => !finalPhases.has(phase) && !needsPerson.has(phase) && phase !== Phase.rollingBack,
  ),
);
/** Phases in which the timer keeps source and staging in step. */
export const deltaPhases: ReadonlySet<Phase> = new Set([
  Phase.replicating,
  Phase.testing,
  Phase.tested,
  Phase.cutoverQueued,
]);
/** Whether deltas go on in a state: a question to people does not stop them, nor does a pause that does not say so. */
export function wantsDeltas({
  phase,
  remembered,
  paused,
}: {
  phase: Phase;
  remembered?: Phase | undefined;
  paused?: { deltas: 'goOn' | 'stop' } | undefined;
}): boolean {
  return paused?.deltas !== 'stop' && deltaPhases.has(needsPerson.has(phase) ? (remembered ?? phase) : phase);
}
/** Phases after traffic has moved: rolling back may lose what the target has accepted. */
export const targetMayHaveWrites: ReadonlySet<Phase> = new Set([Phase.trafficMoved, Phase.validating]);

/**
 * Whether a workload may go from one phase to another. `remembered` is the phase that attention or paused were entered
 * from: that is where an answer leads back to.
 */
export function mayMove(from: Phase, to: Phase, remembered: Phase | undefined): boolean {
  if (needsPerson.has(from))
    return to === remembered || to === Phase.rollingBack || (from === Phase.paused && to === Phase.attention);
  if (moves[from].includes(to)) return true;
  if (to === Phase.attention) return activePhases.has(from) || from === Phase.rollingBack;
  if (to === Phase.paused || to === Phase.rollingBack) return activePhases.has(from);
  return false;
}
