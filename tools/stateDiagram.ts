// Writes docs/state-diagram.md from the phase table, so that the picture cannot say anything else than the code.
// Usage: node tools/stateDiagram.ts
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  activePhases,
  deltaPhases,
  finalPhases,
  mayMove,
  moves,
  needsPerson,
  Phase,
  targetMayHaveWrites,
} from '../shared/lifecycle/phases.ts';

export const stateDiagramPath = 'docs/state-diagram.md';

const phases = Object.values(Phase);
/** Entered from many phases: arrows for each would hide the rest. */
const sideways = phases.filter((phase) => phase === Phase.rollingBack || needsPerson.has(phase));

/** The page with diagram and table. */
export function stateDiagram(): string {
  const work = phases.flatMap((from) => moves[from].map((to) => `  ${from} --> ${to}`));
  const ends = [...finalPhases].filter((phase) => moves[phase].length === 0).map((phase) => `  ${phase} --> [*]`);
  const rows = phases.map((phase) => `| \`${phase}\` | ${standing(phase)} | ${next(phase)} | ${notes(phase)} |`);
  return `# The phases of a workload

Generated from [shared/lifecycle/phases.ts](../shared/lifecycle/phases.ts) by \`node tools/stateDiagram.ts\`; a test fails when it is out of date.

\`\`\`mermaid
stateDiagram-v2
  [*] --> ${Phase.registered}
${[...work, ...ends].join('\n')}
\`\`\`

The arrows are the moves of work itself. ${listed(sideways)} are entered from the side:

| phase | is | may become | besides |
| --- | --- | --- | --- |
${rows.join('\n')}

"Active" means: not final, not waiting for a person, not rolling back. Beside its phase a workload has a sync region (\`idle\`, \`queued\`, \`running\`,
\`stalled\`, \`paused\`), because deltas go on while people test; at most one sync is queued or in flight.
`;
}

function standing(phase: Phase): string {
  if (finalPhases.has(phase)) return 'final';
  if (needsPerson.has(phase)) return 'waiting for a person';
  return activePhases.has(phase) ? 'active' : 'being undone';
}

/** What follows by the table, and, for a phase that waits, the way back to where it came from. */
function next(phase: Phase): string {
  const back = phases.some((origin) => mayMove(phase, origin, origin) && !mayMove(phase, origin, undefined));
  const targets = phases.filter((to) => mayMove(phase, to, undefined)).map((to) => `\`${to}\``);
  return [...(back ? ['the phase it was entered from'] : []), ...targets].join(', ') || 'nothing';
}

function notes(phase: Phase): string {
  return [
    deltaPhases.has(phase) ? 'deltas run' : '',
    targetMayHaveWrites.has(phase) ? 'the target may have accepted writes' : '',
  ]
    .filter((note) => note !== '')
    .join(', ');
}

function listed(names: readonly string[]): string {
  const quoted = names.map((name) => `\`${name}\``);
  return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  writeFileSync(join(import.meta.dirname, '..', stateDiagramPath), stateDiagram());
  console.log(`${stateDiagramPath} is written.`);
}
