// The reference appliance, one process: target, worker or agent. It works where the data is: reads disks and ships their
// blocks, stops and starts services, runs checks. It speaks shared/protocol and shared/model and knows nothing else of
// the platform. It must never write to a source's disk, put a secret into an event or a log line, or acknowledge a
// command before its effect is durable.
import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bus } from './bus/bus.ts';
import { Outbox } from './bus/outbox.ts';
import { executor } from './commands/execute.ts';
import { CommandReceiver } from './commands/receive.ts';
import { answerCommand } from './commands/rootCommands.ts';
import { bundleName } from './install/layout.ts';
import { AgentPusher } from './install/push.ts';
import { createLog, messageOf } from './log.ts';
import { askedNetwork, ownNetwork } from './net/network.ts';
import { PlatformClient } from './platform/client.ts';
import { identify } from './platform/identity.ts';
import { FatalProblem } from './problem.ts';
import { SyncJobs } from './replication/jobs.ts';
import { readSettings, version } from './settings.ts';
import { Store } from './state/store.ts';

const log = createLog();
const bootId = randomUUID();

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const store = Store.open(settings.stateDir);
  const { identity, bus: firstAccess } = await identify(settings, log);
  const { applianceId, kind, heartbeatSeconds } = identity;
  const platform = new PlatformClient(identity);
  const outbox = new Outbox(identity, store);
  outbox.forgetOldOperations();
  const jobs = new SyncJobs({ store, outbox, platform, log });
  const { hostName, networkUrl } = settings;
  const network = networkUrl === undefined ? ownNetwork() : askedNetwork(networkUrl);
  const bundle = settings.agentBundle ?? ownBundle();
  const agents = new AgentPusher({ platform, stateDir: settings.stateDir, bundle, log, root: settings.machineRoot });
  const execute = executor({ applianceId, hostName, outbox, jobs, agents, network });
  const receiver = new CommandReceiver({ identity, outbox, log, execute });
  const bus = new Bus({ platform, outbox, log, onCommand: (body) => receiver.receive(body) });

  const beat = (): void => {
    const data = { version, bootId, kind, uptimeSeconds: process.uptime(), runningSyncs: jobs.running() };
    outbox.offer('landfall.appliance.heartbeat', applianceId, data).catch(fail);
  };
  let heartbeat: NodeJS.Timeout | undefined;
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    clearInterval(heartbeat);
    log.info('stopping', { signal });
    // Whatever hangs, the process ends; nothing that matters is in memory only.
    setTimeout(() => process.exit(0), 8000).unref();
    await jobs.stop();
    await outbox.emit('landfall.appliance.stopping', applianceId, { reason: signal });
    await bus.drain(2000);
    await bus.stop();
    store.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal).catch(fail));

  // Before the first command can arrive: one for the same workload must find the job that it replaces.
  jobs.resume();
  await bus.start(firstAccess).catch((error: unknown) => {
    if (!isStopping) throw error;
  });
  if (isStopping) return;

  log.info('started', { applianceId, kind, version, bootId });
  beat();
  heartbeat = setInterval(beat, heartbeatSeconds * 1000);
}

/** This program, if it is the bundle that runs. */
function ownBundle(): string | undefined {
  const path = fileURLToPath(import.meta.url);
  return basename(path) === bundleName ? path : undefined;
}

function fail(error: unknown): never {
  log.warn('the appliance ends', { error: messageOf(error) });
  process.exit(error instanceof FatalProblem ? FatalProblem.exitCode : 1);
}

/** What to do is the first word: nothing is the appliance itself. */
async function begin(what: string | undefined, path: string | undefined): Promise<void> {
  if (what === undefined) return main();
  if (what === '--version') return console.log(version);
  if (what !== 'run-command' || path === undefined)
    throw new FatalProblem('Usage: landfall-agent.mjs [--version | run-command FILE], settings by the environment.');
  await answerCommand(new Socket({ fd: 0 }), path);
  process.exit(0);
}

begin(process.argv[2], process.argv[3]).catch(fail);
