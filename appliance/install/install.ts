// Puts an agent onto a machine over SSH: looks, uploads what is missing, verifies its checksum, starts it as a systemd unit
// and waits until it has enrolled. What an earlier try has done is found and not done again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../problem.ts';
import { type Facts, onMachine, type Reached, type Reaching } from './machine.ts';
import * as scripts from './scripts.ts';
import { unitsOf } from './units.ts';

/** A file to bring along, and its SHA-256 in hex. */
export interface Payload {
  path: string;
  sha256: string;
}

export interface Installing extends Reaching {
  operationId: string;
  /** Whose agent it is, in one line: nobody else's is touched. */
  owner: string;
  bundle: Payload;
  /** A Node for machines that have none: what they must be, as `uname` says it. */
  node: { machine: string; payload(): Promise<Payload> };
  /** What root runs for the agent. */
  commands: readonly (readonly string[])[];
  /** The text of its bootstrap; undefined if it has enrolled already. Asked for when all else is in place. */
  bootstrap(): Promise<string | undefined>;
  times?: { enrolMs: number; lookMs: number };
}

export interface Installed {
  sha256: string;
  /** The program that runs it. */
  node: string;
  /** Whether anything was done: false where this very operation had ended before. */
  changed: boolean;
}

const oldestNode = 24;

export async function installAgent(order: Installing): Promise<Installed> {
  return onMachine(order, async (machine) => {
    const { layout, operationId, owner, bundle, commands } = order;
    if (machine.facts.one('systemd') !== 'yes')
      throw machine.problem(
        'noSystemd',
        'the agent is a unit of it',
        'Start the agent by hand there, or replicate without one.',
      );
    const found = await machine.script(scripts.foundScript(layout));
    const whose = ownerOf(found);
    if (whose !== undefined && whose !== owner) throw foreign(machine, whose);
    if (found.one('operation') === operationId && found.one('bundle') === bundle.sha256 && works(found))
      return { sha256: bundle.sha256, node: nodeOf(machine) ?? layout.node, changed: false };

    await machine.script(scripts.prepareScript(layout, owner));
    if (found.one('bundle') !== bundle.sha256) await bring(machine, bundle, layout.bundle, '0644');
    const node = nodeOf(machine) ?? (await bringNode(machine, order, found));
    const units = unitsOf(layout, { node, asRoot: commands.length > 0 });
    const bootstrap = await order.bootstrap();
    const allowed = commands.length > 0 ? JSON.stringify({ commands }) : undefined;
    await machine.script(scripts.startScript(layout, { units, commands: allowed, bootstrap }));
    await enrolled(machine, order);
    await machine.script(scripts.doneScript(layout, operationId));
    return { sha256: bundle.sha256, node, changed: true };
  });
}

/** Whose agent is there; of one that nobody has signed it is not known. */
export function ownerOf(found: Facts): string | undefined {
  return found.one('owner') ?? (found.one('bundle') === undefined ? undefined : 'somebody');
}

const foreign = (machine: Reached, whose: string): Problem =>
  machine.problem(
    'agentForeign',
    `it belongs to ${whose}`,
    'Remove it there if it is not needed any more, or confirm by hand that it is this source’s agent.',
  );

const works = (found: Facts): boolean => found.one('active') === 'active' && found.one('enrolled') === 'yes';

/** The machine's Node, or ours there, if it is new enough. */
function nodeOf({ facts }: Reached): string | undefined {
  const usable = facts.all('node').find((line) => Number(/ v(\d+)\./.exec(line)?.[1] ?? 0) >= oldestNode);
  return usable?.slice(0, usable.lastIndexOf(' '));
}

async function bring(machine: Reached, { path, sha256 }: Payload, to: string, mode: string): Promise<void> {
  await machine.send(path, to);
  await machine.script(scripts.acceptScript(to, sha256, mode));
}

const nodeKiB = 160 << 10;

async function bringNode(machine: Reached, { node, layout }: Installing, found: Facts): Promise<string> {
  const has = machine.facts.all('node').join(', ');
  const suggestion = `Install Node ${oldestNode} or later there, outside of home directories, then retry.`;
  const refuse = (why: string): Problem =>
    machine.problem('nodeMissing', `${has === '' ? 'it has none' : `it has ${has}`}, and ${why}`, suggestion);
  const is = machine.facts.one('machine') ?? 'unknown';
  if (is !== node.machine) throw refuse(`the one of the target appliance is for ${node.machine}, not for ${is}`);
  const brought = await node.payload();
  const free = Number(machine.facts.one('freeKiB') ?? Number.POSITIVE_INFINITY);
  if (found.one('node') !== brought.sha256) {
    if (free < nodeKiB)
      throw machine.problem(
        'diskFull',
        `${free} KiB are free in /opt, and Node needs ${nodeKiB} KiB`,
        'Make room there, or install Node, then retry.',
      );
    await bring(machine, brought, layout.node, '0755');
  }
  const says = await machine.script(scripts.tryScript(layout.node));
  if (!says.one('version')?.startsWith('v'))
    throw refuse(`the one of the target appliance does not run there: ${says.one('why') ?? ''}`);
  return layout.node;
}

async function enrolled(machine: Reached, { layout, times, signal }: Installing): Promise<void> {
  const { enrolMs, lookMs } = times ?? { enrolMs: 120_000, lookMs: 1000 };
  const deadline = Date.now() + enrolMs;
  for (;;) {
    const seen = await machine.script(scripts.watchScript(layout));
    if (works(seen)) return;
    const log = seen.one('log') ?? 'its log is empty';
    const active = seen.one('active') ?? 'unknown';
    if (active === 'failed' || active === 'inactive')
      throw machine.problem(
        'agentNotStarted',
        `it is ${active}; ${log}`,
        'Look at `journalctl -u landfall-agent` on the machine, then retry.',
      );
    if (Date.now() >= deadline)
      throw machine.problem(
        'agentNotEnrolled',
        `it is ${active} since ${Math.round(enrolMs / 1000)} s; ${log}`,
        'The machine needs HTTPS to this platform: check its name resolution, its routes, its proxy and its trusted certificates, then retry.',
      );
    await sleep(lookMs, undefined, signal ? { signal } : {});
  }
}
