// What the target appliance does about agents on sources, when the platform asks it: fetches login and token over HTTPS,
// where nobody else can read them, and puts the agent there or takes it away. What it sends is the program that it is itself.
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, rmSync } from 'node:fs';
import { type } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { ApplianceEventData } from '../../shared/protocol/events.ts';
import type { Log } from '../log.ts';
import { Retryable, withRetry } from '../net/retry.ts';
import type { PlatformClient } from '../platform/client.ts';
import { Problem } from '../problem.ts';
import { version } from '../settings.ts';
import { installAgent, type Payload } from './install.ts';
import { layoutAt } from './layout.ts';
import { removeAgent } from './remove.ts';

export interface Around {
  platform: Pick<PlatformClient, 'agentCredential' | 'agentBootstrap' | 'appliancesUrl'>;
  stateDir: string;
  /** The bundle to send; undefined where this runs from its sources and was told of none. */
  bundle: string | undefined;
  log: Log;
  /** Milliseconds for all that one command asks for; a machine may take what it is sent and never answer. */
  withinMs?: number;
  /** Stands for the root of machines in tests. */
  root?: string | undefined;
}

export class AgentPusher {
  readonly #around: Around;

  constructor(around: Around) {
    this.#around = around;
    // A process that was killed may have left a login behind.
    for (const name of readdirSync(around.stateDir))
      if (name.startsWith('ssh-')) rmSync(join(around.stateDir, name), { recursive: true, force: true });
  }

  async install(
    operationId: string,
    { agentId, ssh, commands }: CommandData<'landfall.agent.install'>,
  ): Promise<ApplianceEventData<'landfall.agent.installed'>> {
    const { platform, bundle, log } = this.#around;
    if (bundle === undefined)
      throw new Problem(
        'bundleMissing',
        'This appliance runs from its sources and has no agent to send.',
        'Start it from `landfall-agent.mjs`, or name that file in LANDFALL_AGENT_BUNDLE.',
      );
    const reach = await this.#reach(operationId, agentId, ssh);
    const { sha256, node, changed } = await this.#bounded(ssh.host, async (signal) =>
      installAgent({
        ...reach,
        ...{ operationId, commands, signal },
        bundle: await payload(bundle),
        node: { machine: thisMachine(), payload: () => payload(process.execPath) },
        bootstrap: async () => {
          const { bootstrap } = await asked(() => platform.agentBootstrap({ agentId, operationId }));
          return bootstrap === null ? undefined : JSON.stringify(bootstrap);
        },
      }),
    );
    log.info('an agent is in place', { agentId, host: ssh.host, changed });
    return { agentId, version, sha256, node, changed };
  }

  async remove(
    operationId: string,
    { agentId, ssh }: CommandData<'landfall.agent.remove'>,
  ): Promise<ApplianceEventData<'landfall.agent.removed'>> {
    const reach = await this.#reach(operationId, agentId, ssh);
    const removed = await this.#bounded(ssh.host, (signal) => removeAgent({ ...reach, signal }));
    this.#around.log.info('an agent is gone', { agentId, host: ssh.host, ...removed });
    return { agentId, ...removed };
  }

  /** Gives up before the platform does, so that it hears why. */
  async #bounded<T>(host: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { withinMs = 15 * 60_000 } = this.#around;
    const tooLong = new AbortController();
    const timer = setTimeout(() => {
      const message = `${host} has not done what it was asked to within ${Math.round(withinMs / 1000)} s.`;
      const suggestion =
        'Look what the machine is busy with (a file system or a package manager that hangs), then retry.';
      tooLong.abort(new Problem('sshTimeout', message, suggestion));
    }, withinMs);
    try {
      return await work(tooLong.signal);
    } catch (error) {
      throw tooLong.signal.aborted ? tooLong.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #reach(operationId: string, agentId: string, machine: CommandData<'landfall.agent.remove'>['ssh']) {
    const { platform, stateDir, root } = this.#around;
    const credential = await asked(() => platform.agentCredential({ agentId, operationId }));
    const owner = `${platform.appliancesUrl}/${agentId}`;
    return { machine, credential, owner, layout: layoutAt(root), within: stateDir };
  }
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await withRetry(ask, { forMs: 60_000 });
  } catch (error) {
    if (!(error instanceof Retryable)) throw error;
    throw new Problem('platformBusy', `The login for the machine could not be fetched: ${error.message}`, 'Retry.');
  }
}

async function payload(path: string): Promise<Payload> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { path, sha256: hash.digest('hex') };
}

/** As `uname -s` and `uname -m` say it. */
function thisMachine(): string {
  const machines: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };
  return `${type()}-${machines[process.arch] ?? process.arch}`;
}
