// Can this source be migrated as it stands? Rules over the inventory entry and what the live source says about itself.
import type { MachineState } from '../hosts/contract.ts';
import { isByHand } from '../model/byHand.ts';
import type { Source } from '../model/source.ts';
import type { ApplianceEventData } from '../protocol/events.ts';
import { type Capacity, shortfalls } from './capacity.ts';
import { spellCycle, tiersOf } from './order.ts';

export interface Finding {
  rule:
    | 'bootDisk'
    | 'bootDiskSize'
    | 'osFamily'
    | 'serviceOrder'
    | 'hostName'
    | 'diskSize'
    | 'diskReadable'
    | 'diskMissing'
    | 'serviceKnown'
    | 'consistency'
    | 'hostKnown'
    | 'machineSize'
    | 'quota'
    | 'capacityKnown';
  severity: 'error' | 'warning';
  message: string;
  suggestion: string;
}

/** What the appliance and the host have seen; without it only the inventory entry is judged. */
export interface LiveFacts {
  described: ApplianceEventData<'landfall.source.described'>;
  machine?: MachineState | undefined;
}

/** https://learn.microsoft.com/azure/virtual-machines/managed-disks-overview#os-disk */
const osDiskAtMost = 4095 * 2 ** 30;

export function preflight(source: Source, live?: LiveFacts): Finding[] {
  return [...inventoryRules(source), ...(live === undefined ? [] : liveRules(source, live))];
}

function inventoryRules(source: Source): Finding[] {
  const findings: Finding[] = [];
  const boot = source.disks.filter((disk) => disk.boot);
  if (boot.length !== 1)
    findings.push(
      error(
        'bootDisk',
        `${source.id} has ${boot.length} boot disks`,
        'Mark exactly one of its disks with "boot": true.',
      ),
    );
  for (const disk of boot)
    if (disk.sizeBytes > osDiskAtMost)
      findings.push(
        error(
          'bootDiskSize',
          `boot disk ${disk.id} is larger than the 4,095 GiB of an Azure OS disk`,
          'Shrink it, or move data to another disk.',
        ),
      );
  if (source.os.family === 'windows')
    findings.push(
      warning(
        'osFamily',
        'checks of kind "file" ask through a Linux shell',
        'Use tcp and http checks for Windows targets.',
      ),
    );
  if (source.snapshot === undefined)
    findings.push(
      warning(
        'consistency',
        'no snapshot command: blocks are read while the source writes',
        'Points before the final sync may not boot; name snapshot commands for crash-consistent ones.',
      ),
    );
  if (source.snapshot === undefined && source.quiesce !== undefined)
    findings.push(
      warning(
        'consistency',
        'commands that bring applications to rest, and none that freeze the disks meanwhile: they are never run',
        'Name snapshot commands, or leave `quiesce` out.',
      ),
    );
  if (isByHand(source))
    findings.push(
      warning(
        'hostKnown',
        'no host can be asked: people switch the machine off and on, and confirm that at gates',
        'Have somebody at hand during the cutover; the window’s prediction does not know how long they take.',
      ),
    );
  return [...findings, ...serviceRules(source)];
}

function serviceRules({ services }: Source): Finding[] {
  const names = new Set(services.map(({ name }) => name));
  const unknown = services.flatMap(({ name, dependsOn }) =>
    dependsOn.filter((other) => !names.has(other)).map((other) => ({ name, other })),
  );
  const order = tiersOf(services.map(({ name, dependsOn }) => ({ id: name, dependsOn })));
  return [
    ...unknown.map(({ name, other }) =>
      error(
        'serviceOrder',
        `service ${name} depends on ${other}, which is not listed`,
        `List ${other}, or remove the dependency.`,
      ),
    ),
    ...('cycle' in order
      ? [
          error(
            'serviceOrder',
            `services depend on each other: ${spellCycle(order.cycle)}`,
            'Remove one of these dependencies.',
          ),
        ]
      : []),
  ];
}

function liveRules(source: Source, { described, machine }: LiveFacts): Finding[] {
  const findings: Finding[] = [];
  if (described.hostName.toLowerCase() !== source.hostName.toLowerCase())
    findings.push(
      warning(
        'hostName',
        `the inventory says ${source.hostName}, the source says ${described.hostName}`,
        'Check that this is the right machine.',
      ),
    );
  for (const disk of source.disks) {
    const seen = described.disks.find(({ id }) => id === disk.id);
    if (seen === undefined)
      findings.push(error('diskMissing', `disk ${disk.id} was not found`, 'Correct its path in the inventory.'));
    else if (!seen.readable)
      findings.push(
        error(
          'diskReadable',
          `disk ${disk.id} cannot be read: ${seen.detail}`,
          'Give the appliance read access to it.',
        ),
      );
    else if (seen.sizeBytes !== disk.sizeBytes)
      findings.push(
        error(
          'diskSize',
          sizes(disk.id, disk.sizeBytes, seen.sizeBytes),
          'Correct the inventory and plan the wave anew.',
        ),
      );
    const attached = machine?.disks.find(({ id }) => id === disk.id);
    if (attached !== undefined && attached.sizeBytes !== disk.sizeBytes)
      findings.push(
        error(
          'diskSize',
          `${sizes(disk.id, disk.sizeBytes, attached.sizeBytes)} at its host`,
          'Correct the inventory and plan the wave anew.',
        ),
      );
  }
  if (machine?.power === 'off')
    findings.push(
      warning(
        'hostKnown',
        'its host says that the machine is off',
        'Check that the host’s name for it is right: what is off before the cutover is off after a rollback.',
      ),
    );
  for (const attached of machine?.disks ?? [])
    if (!source.disks.some(({ id }) => id === attached.id))
      findings.push(
        warning(
          'diskMissing',
          `the machine has a disk ${attached.id} that the inventory does not list`,
          'It is not migrated; add it if it should be.',
        ),
      );
  for (const service of source.services) {
    const seen = described.services.find(({ name }) => name === service.name);
    if (seen === undefined || seen.state === 'unknown')
      findings.push(
        error(
          'serviceKnown',
          `service ${service.name} is not known to the source${seen?.detail ? `: ${seen.detail}` : ''}`,
          'Correct its status command in the inventory.',
        ),
      );
    else if (service.startMode !== undefined && (seen.startMode ?? 'unknown') === 'unknown')
      findings.push(
        error(
          'serviceKnown',
          `the start mode of service ${service.name} is not known to the source${seen.detail ? `: ${seen.detail}` : ''}`,
          'Correct its startMode.show command in the inventory: it prints automatic or manual.',
        ),
      );
    else if (seen.state === 'stopped')
      findings.push(
        warning('serviceKnown', `service ${service.name} is not running`, 'Start it, or take it out of the inventory.'),
      );
  }
  return findings;
}

/** Whether the region offers the workload's size, and has room for it today. Quota can still be raised until the cutover. */
export function capacityRules(vmSize: string, capacity: Capacity): Finding[] {
  if (!capacity.known)
    return [warning('capacityKnown', `whether there is room for ${vmSize} is not known`, capacity.reason)];
  return shortfalls([vmSize], capacity.facts).map(({ kind, message, suggestion }) =>
    kind === 'size' ? error('machineSize', message, suggestion) : warning('quota', message, suggestion),
  );
}

const sizes = (id: string, planned: number, found: number) =>
  `disk ${id} has ${found} bytes, the inventory says ${planned}`;
const error = (rule: Finding['rule'], message: string, suggestion: string): Finding => ({
  rule,
  severity: 'error',
  message,
  suggestion,
});
const warning = (rule: Finding['rule'], message: string, suggestion: string): Finding => ({
  rule,
  severity: 'warning',
  message,
  suggestion,
});
