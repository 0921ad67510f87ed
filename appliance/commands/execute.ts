// What each command does. Each answers with one event that carries the operation id; syncs answer later, from their job.
import type { Command, CommandData } from '../../shared/protocol/commands.ts';
import type { CheckResult } from '../../shared/protocol/events.ts';
import type { Outbox } from '../bus/outbox.ts';
import type { AgentPusher } from '../install/push.ts';
import { messageOf } from '../log.ts';
import type { Network } from '../net/network.ts';
import { Problem } from '../problem.ts';
import type { SyncJobs } from '../replication/jobs.ts';
import { release, take } from '../replication/snapshot.ts';
import { probeDisk } from '../sources/open.ts';
import { runChecks } from './checks.ts';
import { InTurn } from './inTurn.ts';
import { runProbes } from './probes.ts';
import { subjectOf } from './receive.ts';
import { changeServices, stateOf } from './services.ts';

export interface ExecuteOptions {
  applianceId: string;
  hostName: string;
  outbox: Outbox;
  jobs: SyncJobs;
  agents: AgentPusher;
  network: Network;
}

export function executor(options: ExecuteOptions): (command: Command) => Promise<void> {
  const { applianceId, hostName, outbox, jobs, agents, network } = options;
  const turns = new InTurn();
  return async ({ type, operationId, data }: Command) => {
    const answers = { operationId, finishes: true };
    switch (type) {
      case 'landfall.source.describe':
        return outbox.emit('landfall.source.described', subjectOf(data), await describe(data, hostName), answers);
      case 'landfall.services.stop':
      case 'landfall.services.start': {
        const wanted = type === 'landfall.services.stop' ? 'stopped' : 'running';
        // A start must not overtake the stop that it undoes.
        const outcome = await turns.run(subjectOf(data), () => changeServices(data.services, wanted));
        const states = { services: outcome.services };
        if ('failure' in outcome)
          return outbox.emit('landfall.services.failed', subjectOf(data), { ...states, ...outcome.failure }, answers);
        const event = wanted === 'stopped' ? 'landfall.services.stopped' : 'landfall.services.started';
        return outbox.emit(event, subjectOf(data), states, answers);
      }
      case 'landfall.check.run': {
        const results = await runChecks(data.checks);
        return outbox.emit('landfall.check.completed', subjectOf(data), { results }, answers);
      }
      case 'landfall.probe.run': {
        const results = await runProbes(data.probes, network);
        return outbox.emit('landfall.probe.completed', subjectOf(data), { results }, answers);
      }
      case 'landfall.worker.verify':
        return outbox.emit('landfall.worker.verified', applianceId, { results: await verifyWorker(data) }, answers);
      case 'landfall.agent.install':
      case 'landfall.agent.remove': {
        const { agentId } = data;
        try {
          // A removal must not overtake the installation that it undoes.
          await turns.run(agentId, async () => {
            if (type === 'landfall.agent.install') {
              const installed = await agents.install(operationId, data);
              return outbox.emit('landfall.agent.installed', subjectOf(data), installed, answers);
            }
            const removed = await agents.remove(operationId, data);
            return outbox.emit('landfall.agent.removed', subjectOf(data), removed, answers);
          });
        } catch (error) {
          if (!(error instanceof Problem)) throw error;
          const { code, suggestion } = error;
          const reason = {
            agentId,
            code,
            message: messageOf(error).slice(0, 2000),
            suggestion: suggestion.slice(0, 1000),
          };
          await outbox.emit('landfall.agent.failed', subjectOf(data), reason, answers);
        }
        return;
      }
      case 'landfall.sync.start':
        return jobs.start(operationId, data);
      case 'landfall.sync.cancel':
        jobs.cancel(data);
        return outbox.finishSilently(operationId);
    }
  };
}

async function describe(data: CommandData<'landfall.source.describe'>, hostName: string) {
  const disks = await Promise.all(
    data.disks.map(async ({ diskId, path }) => {
      const { sizeBytes, problem } = await probeDisk(path);
      return { id: diskId, sizeBytes, readable: problem === undefined, detail: (problem ?? '').slice(0, 500) };
    }),
  );
  return { hostName, disks, services: await Promise.all(data.services.map((service) => stateOf(service))) };
}

const nameOf = ({ host, port }: { host: string; port: number }) => `${host.slice(0, 70)}:${port}`;

/** Every port can be reached, every disk can be read, and a canary snapshot can be taken, read and released. */
async function verifyWorker({
  disks,
  snapshots,
  reach,
}: CommandData<'landfall.worker.verify'>): Promise<CheckResult[]> {
  const knocks = reach.map((to) => ({ kind: 'tcp' as const, name: nameOf(to), ...to, expect: 'open' as const }));
  const results: CheckResult[] = await runChecks(knocks);
  for (const { sourceId, diskId, path } of disks) {
    const { sizeBytes, problem } = await probeDisk(path);
    const detail = (problem ?? `${path} can be read, ${sizeBytes} bytes`).slice(0, 2000);
    results.push({ name: `${sourceId}/${diskId}`.slice(0, 80), passed: problem === undefined, detail });
  }
  for (const { sourceId, diskId, snapshot } of snapshots) {
    const name = `${sourceId}/${diskId} snapshot`.slice(0, 80);
    if (!snapshot) {
      results.push({
        name,
        passed: true,
        detail: 'the source has no snapshot commands: its disks are read as they are',
      });
      continue;
    }
    try {
      const { path } = await take(snapshot, diskId, { syncId: '' });
      const { problem } = await probeDisk(path).finally(() => release(snapshot, diskId, ''));
      results.push({
        name,
        passed: problem === undefined,
        detail: (problem ?? 'taken, read and released').slice(0, 2000),
      });
    } catch (error) {
      results.push({
        name,
        passed: false,
        detail: (error instanceof Error ? error.message : String(error)).slice(0, 2000),
      });
    }
  }
  // One event carries 200 results: what failed must be among them.
  return results.sort((a, b) => Number(a.passed) - Number(b.passed)).slice(0, 200);
}
