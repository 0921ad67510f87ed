import { describe, expect, it } from 'vitest';
import type { Capacity } from '../../../shared/policy/capacity.ts';
import { capacityRules, type LiveFacts, preflight } from '../../../shared/policy/preflight.ts';
import { source } from '../../fakes/definitions.ts';

const good = source('db-01', { snapshot: { take: ['take'], release: ['release'] } });
const described: LiveFacts['described'] = {
  hostName: 'db-01.cellar.example',
  disks: [{ id: 'os', sizeBytes: 1048576, readable: true, detail: '' }],
  services: [{ name: 'web', state: 'running', detail: '' }],
};
const machine = { power: 'on' as const, nicConnected: true, disks: [{ id: 'os', sizeBytes: 1048576 }] };
const rules = (...of: Parameters<typeof preflight>) =>
  preflight(...of).map(({ rule, severity }) => `${severity} ${rule}`);

describe('preflight', () => {
  it('finds nothing wrong with a source that is as the inventory says', () => {
    expect(preflight(good, { described, machine })).toEqual([]);
  });

  it('wants exactly one boot disk that fits an Azure OS disk', () => {
    const [disk] = good.disks;
    expect(rules({ ...good, disks: [{ ...disk!, boot: false }] })).toEqual(['error bootDisk']);
    expect(rules({ ...good, disks: [disk!, { ...disk!, id: 'two' }] })).toEqual(['error bootDisk']);
    expect(rules({ ...good, disks: [{ ...disk!, sizeBytes: 4096 * 2 ** 30 }] })).toEqual(['error bootDiskSize']);
  });

  it('says that people switch what has no host to ask', () => {
    const byHand = { ...good, host: { kind: 'byHand' as const, ports: [] } };
    expect(rules(byHand, { described })).toEqual(['warning hostKnown']);
    expect(rules(good, { described, machine: { ...machine, power: 'off' } })).toEqual(['warning hostKnown']);
  });

  it('finds services that wait for nobody or for each other', () => {
    const service = (name: string, ...dependsOn: string[]) => ({
      name,
      dependsOn,
      start: ['s'],
      stop: ['s'],
      status: ['s'],
    });
    expect(rules({ ...good, services: [service('a', 'b')] })).toEqual(['error serviceOrder']);
    const circle = preflight({ ...good, services: [service('a', 'b'), service('b', 'a')] });
    expect(circle[0]?.message).toContain('a → b → a');
  });

  it('compares disks with what the source and its host show', () => {
    const withDisks = (disks: LiveFacts['described']['disks']) => ({ described: { ...described, disks } });
    expect(rules(good, withDisks([]))).toEqual(['error diskMissing']);
    expect(rules(good, withDisks([{ id: 'os', sizeBytes: 1, readable: true, detail: '' }]))).toEqual([
      'error diskSize',
    ]);
    expect(rules(good, withDisks([{ id: 'os', sizeBytes: 1048576, readable: false, detail: 'EACCES' }]))).toEqual([
      'error diskReadable',
    ]);
    expect(
      rules(good, {
        described,
        machine: {
          ...machine,
          disks: [
            { id: 'os', sizeBytes: 7 },
            { id: 'more', sizeBytes: 7 },
          ],
        },
      }),
    ).toEqual(['error diskSize', 'warning diskMissing']);
  });

  it('wants services known, and mentions those that do not run', () => {
    const withState = (state: 'stopped' | 'unknown') => ({
      described: { ...described, services: [{ name: 'web', state, detail: '' }] },
    });
    expect(rules(good, withState('unknown'))).toEqual(['error serviceKnown']);
    expect(rules(good, withState('stopped'))).toEqual(['warning serviceKnown']);
    expect(rules(good, { described: { ...described, services: [] } })).toEqual(['error serviceKnown']);
  });

  it('wants the start mode known of a service that names commands for it', () => {
    const startMode = { show: ['mode'], automatic: ['automatic'], manual: ['manual'] };
    const [web] = good.services;
    const source = { ...good, services: [{ ...web!, startMode }] };
    const seen = (mode?: 'automatic' | 'unknown') => ({
      described: {
        ...described,
        services: [{ name: 'web', state: 'running' as const, ...(mode && { startMode: mode }), detail: '' }],
      },
    });
    expect(rules(source, seen('automatic'))).toEqual([]);
    expect(rules(source, seen('unknown'))).toEqual(['error serviceKnown']);
    expect(rules(source, seen())).toEqual(['error serviceKnown']);
  });

  it('warns of another host name, of Windows, and of reading without a snapshot', () => {
    expect(rules(good, { described: { ...described, hostName: 'other' } })).toEqual(['warning hostName']);
    expect(rules({ ...good, os: { family: 'windows', name: 'Server 2022' } })).toEqual(['warning osFamily']);
    expect(rules(source('db-01'))).toEqual(['warning consistency']);
    // Bringing applications to rest is of no use where nothing freezes the disks meanwhile.
    const quiesce = { freeze: ['freeze'], thaw: ['thaw'], withinSeconds: 30 };
    expect(rules(source('db-01', { quiesce }))).toEqual(['warning consistency', 'warning consistency']);
    const snapshot = { take: ['take'], release: ['release'] };
    expect(rules(source('db-01', { quiesce, snapshot }))).toEqual([]);
  });
});

describe('what the region offers', () => {
  const facts = {
    region: 'westeurope',
    usages: [{ name: 'standardDSv5Family', used: 3, limit: 4 }],
    sizes: [{ name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2 }],
  };
  const found = (vmSize: string, capacity: Capacity) =>
    capacityRules(vmSize, capacity).map(({ rule, severity }) => `${severity} ${rule}`);

  it('is an error where the size is not to be had, and a warning where a quota can still be raised', () => {
    expect(found('Standard_M8', { known: true, facts })).toEqual(['error machineSize']);
    expect(found('Standard_D2s_v5', { known: true, facts })).toEqual(['warning quota']);
  });

  it('is a warning where nobody may ask', () => {
    expect(found('Standard_D2s_v5', { known: false, reason: 'Grant Reader.' })).toEqual(['warning capacityKnown']);
  });
});
