import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { activities } from '../../orchestrators/all.ts';
import { allSteps } from '../../orchestrators/itinerary.ts';
import { platformEventData } from '../../shared/lifecycle/events.ts';
import { commandData } from '../../shared/protocol/commands.ts';
import { applianceEventData } from '../../shared/protocol/events.ts';
import { repository } from '../tools/temporaryTree.ts';

const text = readFileSync(join(repository, 'docs/architecture.md'), 'utf8');
const tableRows = text.split('\n').filter((line) => /^\| \d+ \| `\d\d-/.test(line));

it('the table of steps has a row for every step of the itinerary, which names an existing folder', () => {
  const folders = tableRows.map((row) => /`(\d\d-[a-z-]+)`/.exec(row)?.[1] ?? '');
  expect(folders.map((folder) => Number(folder.slice(0, 2)))).toEqual(allSteps.map(({ number }) => number));
  for (const folder of folders)
    expect(existsSync(join(repository, 'orchestrators/steps', folder, 'step.ts')), folder).toBe(true);
  expect(folders.map(camelCase)).toEqual(allSteps.map(({ name }) => name));
});

it('every activity is named in docs/architecture.md', () => {
  expect(activities.map(({ name }) => name).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});

it('every command and event that docs/architecture.md names exists', () => {
  const known = { ...commandData, ...applianceEventData, ...platformEventData };
  const named = [...text.matchAll(/`(landfall\.[a-z]+\.[a-zA-Z]+)`/g)].map(([, type = '']) => type);
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((type) => !Object.hasOwn(known, type))).toEqual([]);
});

function camelCase(folder: string): string {
  return folder.slice(3).replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
