import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { moves, Phase } from '../../shared/lifecycle/phases.ts';
import { stateDiagram, stateDiagramPath } from '../../tools/stateDiagram.ts';
import { repository } from '../tools/temporaryTree.ts';

it('the committed state diagram is the one that the phase table makes (node tools/stateDiagram.ts)', () => {
  expect(readFileSync(join(repository, stateDiagramPath), 'utf8')).toBe(stateDiagram());
});

it('the diagram has an arrow for every move of the table, and a row for every phase', () => {
  const text = stateDiagram();
  for (const [from, targets] of Object.entries(moves))
    for (const to of targets) expect(text).toContain(`\n  ${from} --> ${to}\n`);
  for (const phase of Object.values(Phase)) expect(text).toContain(`\n| \`${phase}\` |`);
});
