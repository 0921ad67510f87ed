// One story of crashes: an engine in a process of its own is killed under load at moments drawn from a seed, the last
// process finishes, and what they left on disk is read. The seed draws the moments; what is hit there is up to the machine.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { Chance } from '../../../local/durable/chance.ts';
import type { HistoryEvent } from '../../../local/durable/history.ts';
import { Store } from '../../../local/durable/store.ts';
import { openDatabase } from '../../../local/sqlite.ts';
import type { Evidence } from './crashVerify.ts';
import { deedsFile, effectsFile, readDeeds, readEffects } from './fixtures/chains/journal.ts';

export interface CrashOptions {
  seed: number;
  /** Orchestrations at once. */
  width: number;
  kills: number;
  /** A kill comes after at most so many effects of its run. */
  reach: number;
  /** Where the processes keep compiled modules: half of a short life is its start. */
  cache: string;
}

export interface CrashStory extends Evidence {
  /** Orchestrations that were asked for and had not ended, at each kill. */
  unfinished: number[];
}

const script = join(import.meta.dirname, 'fixtures/chains/host.ts');

/** Tells one story and answers what is to be verified. */
export async function crash({ seed, width, kills, reach, cache }: CrashOptions): Promise<CrashStory> {
  const chance = new Chance(seed);
  const directory = mkdtempSync(join(tmpdir(), `crash-${seed}-`));
  const unfinished: number[] = [];
  try {
    for (let run = 0; run < kills; run++) {
      // Now and then while the engine only takes up its work; not in the first run, which finds none.
      const effects = run > 0 && chance.happens(0.15) ? 0 : 1 + chance.below(reach);
      await killed({ directory, run, width, cache }, effects, chance.next() * 4);
      unfinished.push(countUnfinished(directory));
    }
    const waiting = await finished({ directory, run: kills, width, cache });
    const { instances, left } = readDatabase(directory);
    const journals = { effects: readEffects(directory), deeds: readDeeds(directory) };
    return { ...journals, instances, left: [...waiting, ...left], unfinished };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Life {
  directory: string;
  run: number;
  width: number;
  cache: string;
}

function begin({ directory, run, width, cache }: Life, more: NodeJS.ProcessEnv = {}) {
  const own = { JOURNAL: directory, RUN: String(run), WIDTH: String(width), NODE_COMPILE_CACHE: cache };
  const env = { ...process.env, ...own, ...more };
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (data) => {
    said += String(data);
  });
  const how = () => `${directory}: run ${run} ended by itself: ${child.exitCode ?? child.signalCode}\n${said}`;
  return { child, exit: once(child, 'exit'), how };
}

/** Lets a run have about so many effects and then go on for some milliseconds, and kills it. */
async function killed(life: Life, effects: number, milliseconds: number): Promise<void> {
  const [deedsFirst, effectsFirst] = sizes(life.directory);
  const { child, exit, how } = begin(life);
  try {
    for (;;) {
      const [deedsNow, effectsNow] = sizes(life.directory);
      if (deedsNow > deedsFirst && effectsNow >= effectsFirst + effects * lineLength) break;
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(how());
      await sleep(1);
    }
    // Finer than a timer: a commit takes less than a millisecond.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
  if (child.signalCode !== 'SIGKILL') throw new Error(how());
}

/** Bytes that an effect takes in its journal, about. */
const lineLength = 100;
const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
const sizes = (directory: string) => [sizeOf(deedsFile(directory)), sizeOf(effectsFile(directory))] as const;

/** Lets a run end; answers whom it leaves waiting for ever. */
async function finished(life: Life): Promise<string[]> {
  const { child, exit, how } = begin(life, { FINISH: '1' });
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await exit;
  clearTimeout(tooLong);
  if (child.exitCode === unsettled) return ['somebody who waits for something'];
  if (child.exitCode !== 0) throw new Error(how());
  return [];
}

// What Node exits with when nothing can happen any more and the main module still waits
// (https://nodejs.org/api/process.html#exit-codes).
const unsettled = 13;

function countUnfinished(directory: string): number {
  const deeds = readDeeds(directory);
  const named = (did: string) =>
    new Set(deeds.flatMap((deed) => (deed.did === did && 'instance' in deed ? [deed.instance] : [])));
  const ended = named('ended');
  return [...named('starts')].filter((instance) => !ended.has(instance)).length;
}

function readDatabase(directory: string): Pick<Evidence, 'instances' | 'left'> {
  const database = openDatabase(join(directory, 'durable.db'));
  const store = new Store(database);
  const instances = store.select('1', []).map(({ id, name, status, output }) => ({
    ...{ id, name, status, output: JSON.parse(output ?? 'null') as unknown },
    history: JSON.parse(`[${store.history(id).join(',')}]`) as HistoryEvent[],
  }));
  const timer = store.nextTimer();
  const left = store.unfinished().tasks.map(({ instance, id }) => `task ${id} of ${instance}`);
  if (timer !== undefined) left.push('a timer');
  database.close();
  return { instances, left };
}
