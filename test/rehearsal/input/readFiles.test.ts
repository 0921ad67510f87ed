import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readValues, readWaves } from '../../../rehearsal/input/readFiles.ts';

function fileOf(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
}

it('a wave that is none is told field by field, with what was found and what would do', () => {
  const workloads = [{ id: 'w', source: 's', method: 'magic', target: { name: 't' } }];
  const file = fileOf({
    id: 'Not An Id',
    name: 'n',
    enviroment: 'west',
    profile: 'p',
    groups: [{ id: 'g', workloads }],
  });
  const told = (): unknown => readWaves([file], {});
  expect(told).toThrow(`${file} holds no valid wave:\n`);
  expect(told).toThrow(/^ {2}id \("Not An Id"\): .*lower-case/m);
  expect(told).toThrow('  enviroment ("west"): "enviroment" is not known here; did you mean "environment"?');
  expect(told).toThrow('  groups[0].workloads[0].method ("magic"): ');
});

it('values that are none are told by their names', () => {
  expect(() => readValues(fileOf({ 'window.start': { at: 8 } }))).toThrow(
    /is no map .*:\n {2}window\.start \(\{"at":8\}\): /,
  );
});
