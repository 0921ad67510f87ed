import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOurs, placeIn } from '../../../local/host/place.ts';

const app = join(import.meta.dirname, 'fixtures/web');
const at = (...frames: string[]) => ['Error: no', ...frames.map((frame) => `    at ${frame}`)].join('\n');
const library = `next (${app}/node_modules/library/index.js:5:9)`;
const engine = `run (file://${join(import.meta.dirname, '../../../local/host/invoke.ts')}:99:5)`;

test('a place is the first of the app in a stack, in modules of every kind', () => {
  const frames = [
    `run (file://${app}/main.ts?landfall-version=3:7:1)`,
    `run (${app}/main.ts:7:1)`,
    `${app}/main.ts:7:1`,
    `async file://${app}/main.ts:7:1`,
  ];
  for (const frame of frames) expect(placeIn(app, at(library, frame, engine)), frame).toBe('main.ts:7');
  expect(placeIn(app, at(library, engine, 'node:internal/timers:581:17'))).toBeUndefined();
});

test('an error is ours when our code stands nearest to it', () => {
  expect(isOurs(at('listOnTimeout (node:internal/timers:581:17)', library, engine, `${app}/main.ts:7:1`))).toBe(true);
  expect(isOurs(at(`${app}/main.ts:7:1`, engine))).toBe(false);
  expect(isOurs(at(library))).toBe(false);
  expect(isOurs(undefined)).toBe(false);
});
