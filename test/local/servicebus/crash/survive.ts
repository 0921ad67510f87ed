// Kills a broker under load again and again, on the same data, and tells what does not hold.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Ledger } from './ledger.ts';
import { connect, drawFrom, putUnderLoad, takeStock } from './load.ts';

export interface Survival {
  kills: number;
  acknowledged: number;
  settled: number;
  problems: string[];
}

async function startBroker(dataDir: string) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./broker.ts', import.meta.url)), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [endpoint] = (await once(createInterface(child.stdout), 'line')) as [string];
  const kill = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  return { endpoint, kill };
}

/** One kill per seed. Stops at the first seed with a problem, which the problems then name. */
export async function surviveKills(dataDir: string, seeds: readonly number[]): Promise<Survival> {
  const ledger = new Ledger();
  let broker = await startBroker(dataDir);
  let settled = 0;
  let kills = 0;
  try {
    for (const seed of seeds) {
      const draw = drawFrom(seed);
      let isOver = false;
      const goal = ledger.acknowledged + 20 + Math.floor(draw() * 80);
      const client = connect(broker.endpoint);
      putUnderLoad(client, ledger, draw, `s${seed}`, () => isOver);
      while (ledger.acknowledged < goal) await new Promise((resolve) => setTimeout(resolve, 1 + draw() * 4));
      isOver = true;
      await broker.kill();
      kills++;
      settled += ledger.settled;
      void client.close().catch(() => {});
      broker = await startBroker(dataDir);
      ledger.compare(await takeStock(broker.endpoint));
      if (ledger.problems.length > 0) {
        return { kills, acknowledged: ledger.acknowledged, settled, problems: [`seed ${seed}`, ...ledger.problems] };
      }
    }
  } finally {
    await broker.kill();
  }
  return { kills, acknowledged: ledger.acknowledged, settled, problems: ledger.problems };
}
