// A modelled target environment: resources with states, operations that take time, records, security groups, staging.
// It refuses what Azure refuses, because an orchestration that is in the wrong order must fail here as well.
import type { VirtualClock } from '../../local/durable/virtualClock.ts';
import type { Azure, DnsRecord, LongOperation, Ownership, Progress } from '../../shared/azure/contract.ts';
import { ownershipTags } from '../../shared/azure/ownership.ts';
import { idIn } from '../../shared/azure/resourceIds.ts';
import { terminal, transient } from '../../shared/errors.ts';
import type { Environment } from '../../shared/model/environment.ts';
import type { Capacity } from '../../shared/policy/capacity.ts';
import type { Change, Changed } from './change.ts';
import { ModelledPools } from './loadBalancers.ts';
import { ModelledMonitoring } from './monitoring.ts';
import { ModelledScripts } from './scripts.ts';

export interface Resource {
  kind: 'machine' | 'nic' | 'disk' | 'securityGroup';
  name: string;
  tags: Record<string, string>;
  readyAt: number;
  goneAt?: number;
  machine?: { disks: string[]; subnetId: string };
  nic?: { address: string; securityGroupId: string | undefined };
  securityGroup?: { rules: Rule[] };
}
interface Around {
  changed: Changed;
  /** Hears of what Azure would let happen and no plan may want. */
  found(finding: string): void;
  takesMs(kind: LongOperation['kind'], sizeBytes: number): number;
}
type Rule = Awaited<ReturnType<Azure['network']['securityRules']>>[number];

const denyAll = (['Inbound', 'Outbound'] as const).map(
  (direction): Rule => ({
    name: `denyAll${direction}`,
    priority: 4096,
    direction,
    access: 'Deny',
    protocol: '*',
    source: '*',
    destination: '*',
    sourcePorts: ['*'],
    destinationPorts: ['*'],
  }),
);
const securityGroups = 'Microsoft.Network/networkSecurityGroups';
/** The security group around a test subnet: modelled, in the resource group of its network. */
const aroundSubnet = (subnetId: string): string =>
  `${subnetId.split('/virtualNetworks/')[0] ?? ''}/networkSecurityGroups/test`;

/** What Azure Compute usually asks of those who poll. */
const retryAfterSeconds = 10;

export class ModelledAzure implements Azure {
  readonly resources = new Map<string, Resource>();
  readonly records = new Map<string, DnsRecord>();
  /** Staging blobs by name, with their size and the tags of who made them. */
  readonly blobs = new Map<string, { sizeBytes: number; tags: Record<string, string> }>();
  readonly snapshots = new Set<string>();
  /** Rules around the test subnet; a test opens a hole here. */
  testRules: Rule[] = denyAll;
  rolesGranted = false;
  /** What the cutover identity may do for actions. */
  readonly #grantedBesides = new Set<string>();
  /** What machines have on their disks, by machine name and path: nobody looks into a modelled disk. */
  readonly files = new Map<string, string>();
  /** What names and addresses lead to where the appliances are; nothing, unless a test says so. */
  readonly leads = new Map<string, string[]>();
  readonly scripts: ModelledScripts;
  readonly monitored: ModelledMonitoring;
  /** Subnets in which only isolated clones may boot. */
  readonly testSubnets = new Set<string>();
  /** Ways that are open in this direction although no rule says so: what only a probe finds. */
  readonly leaks = new Set<Rule['direction']>();
  /** From where plans let people test clones. */
  readonly testers = new Set<string>();
  onAppliance: (environment: Environment) => void = () => {};
  readonly #clock: VirtualClock;
  readonly #around: Around;
  readonly #users = new Map<string, string>();
  /** Until when clients may keep what a record said before somebody lowered how long it lives. */
  readonly #cachedUntil = new Map<string, number>();
  #addresses = 10;

  constructor(clock: VirtualClock, around: Around) {
    this.#clock = clock;
    this.#around = around;
    this.scripts = new ModelledScripts(around.changed);
    this.monitored = new ModelledMonitoring(around.changed, (machine) => this.#find('machine', machine) !== undefined);
    this.pools = new ModelledPools(around.changed, (machine) => this.#find('nic', `${machine}-nic`) !== undefined);
  }

  #changed(what: string, kind: Change['kind'], id: string): void {
    this.#around.changed({ what, kind, id });
  }

  /** What exists, without what is on its way out. */
  names(): string[] {
    for (const [key, { goneAt }] of this.resources)
      if (goneAt !== undefined && goneAt <= this.#clock.now()) this.resources.delete(key);
    return [...this.resources.keys()].sort();
  }

  machine(name: string): { securityGroupId: string | undefined; goes: boolean } | undefined {
    const machine = this.#find('machine', name);
    const securityGroupId = this.#find('nic', `${name}-nic`)?.nic?.securityGroupId;
    return machine && { securityGroupId, goes: machine.goneAt !== undefined };
  }

  /** The name of the machine that has an address. */
  machineAt(address: string): string | undefined {
    const nic = [...this.resources.values()].find((each) => each.nic?.address === address);
    return nic?.name.replace(/-nic$/, '');
  }

  /** Whether a resource is there: by its kind and name, such as `machine/db-01`. */
  exists(key: string): boolean {
    const [kind = '', name = ''] = key.split('/');
    return this.#find(kind as Resource['kind'], name) !== undefined;
  }

  #find(kind: Resource['kind'], name: string): Resource | undefined {
    const key = `${kind}/${name}`;
    const found = this.resources.get(key);
    if (found?.goneAt === undefined || found.goneAt > this.#clock.now()) return found;
    this.resources.delete(key);
    return undefined;
  }

  #create(
    resource: Omit<Resource, 'readyAt' | 'tags'>,
    ownership: Ownership,
    kind: LongOperation['kind'],
    sizeBytes = 0,
  ): Progress {
    const key = `${resource.kind}/${resource.name}`;
    const known = this.#find(resource.kind, resource.name);
    if (known?.goneAt !== undefined) throw transient('conflict', `${key} is being deleted.`, 'Try again.', 1);
    if (known === undefined) {
      const readyAt = this.#clock.now() + this.#around.takesMs(kind, sizeBytes);
      this.resources.set(key, { ...resource, tags: ownershipTags(ownership), readyAt });
      this.#changed(`create ${key}`, 'resource', key);
    }
    return this.#progress({ kind, name: resource.name, state: key });
  }

  #delete(kind: Resource['kind'], name: string, operation: LongOperation['kind']): Progress {
    const known = this.#find(kind, name);
    if (known === undefined) return { done: true };
    const user = this.#userOf(`${kind}/${name}`);
    if (user !== undefined) throw transient('conflict', `${name} is used by ${user}.`, 'Delete that first.', 1);
    if (known.goneAt === undefined) {
      known.goneAt = this.#clock.now() + this.#around.takesMs(operation, 0);
      if (kind === 'machine') this.scripts.goWith(name);
      this.#changed(`delete ${kind}/${name}`, 'resource', `${kind}/${name}`);
    }
    return this.#progress({ kind: operation, name, state: `${kind}/${name}` });
  }

  /** The machine that a disk or NIC is attached to. */
  #userOf(key: string): string | undefined {
    const user = this.#users.get(key);
    return user !== undefined && this.#find('machine', user) ? user : undefined;
  }

  #progress(operation: LongOperation): Progress {
    const [kind, name = ''] = operation.state.split('/') as [Resource['kind'], string?];
    const resource = this.#find(kind, name);
    const at = resource?.goneAt ?? resource?.readyAt ?? 0;
    if (at <= this.#clock.now()) return { done: true };
    return { done: false, operation, retryAfterSeconds };
  }

  /** Somebody deletes a resource in the portal, and waits until it is gone. */
  removeByHand(key: string): void {
    if (!this.exists(key)) return;
    this.#changed(`delete ${key}`, 'resource', key);
    this.resources.delete(key);
  }

  /** Sets a record. It may not move while clients keep an answer that lives longer. */
  setRecord(type: string, record: string, value: DnsRecord): void {
    const key = `${type} ${record}`;
    const before = this.records.get(key);
    this.records.set(key, value);
    const cachedUntil = this.#cachedUntil.get(key) ?? 0;
    if (before?.values.join() !== value.values.join()) {
      if (cachedUntil > this.#clock.now()) this.#around.found(`${record} moves while clients keep its old answer`);
      this.#changed(`${record} is ${value.values.join()}`, 'record', record);
    } else if (before.ttlSeconds !== value.ttlSeconds) {
      if (before.ttlSeconds > value.ttlSeconds)
        this.#cachedUntil.set(key, Math.max(cachedUntil, this.#clock.now() + before.ttlSeconds * 1000));
      this.#changed(`${record} lives ${value.ttlSeconds} s`, 'record', record);
    }
  }

  removeRecord(type: string, record: string): void {
    if (this.records.delete(`${type} ${record}`)) this.#changed(`${record} is absent`, 'record', record);
  }

  revokeRoles(): void {
    if (this.rolesGranted) this.#changed('revoke roles', 'roles', 'roles');
    this.rolesGranted = false;
    this.#grantedBesides.clear();
  }

  authorization: Azure['authorization'] = {
    gaps: async (environment, besides) =>
      this.#mayAll(besides)
        ? []
        : [
            {
              principalId: environment.identities.cutover,
              role: 'cutover',
              scope: `/subscriptions/${environment.subscriptionId}`,
              roleName: 'Landfall cutover',
              missing: ['Microsoft.Compute/disks/write', ...besides],
            },
          ],
    grant: async (_environment, _gaps, besides) => {
      if (!this.#mayAll(besides)) this.#changed('grant roles', 'roles', 'roles');
      this.rolesGranted = true;
      for (const action of besides) this.#grantedBesides.add(action);
      return [{ kind: 'roleAssignment', id: 'cutover' }];
    },
    effective: async (_environment, besides) => this.#mayAll(besides),
    revoke: async () => this.revokeRoles(),
  };

  /** What the region offers. A test may say; a rehearsal cannot know. */
  room: Capacity = { known: false, reason: 'A rehearsal asks no subscription for its quota.' };
  capacity: Azure['capacity'] = async () => this.room;

  #mayAll(besides: readonly string[]): boolean {
    return this.rolesGranted && besides.every((action) => this.#grantedBesides.has(action));
  }

  compute: Azure['compute'] = {
    findMachine: async (_environment, name) => {
      const machine = this.#find('machine', name);
      return machine && { id: name, provisioning: 'Succeeded', power: 'running', tags: machine.tags };
    },
    beginAppliance: async (environment, name, _customData, ownership) => {
      if (this.#find('machine', name) === undefined) this.onAppliance(environment);
      const nic = { address: '10.0.9.4', securityGroupId: undefined };
      this.#create({ kind: 'nic', name: `${name}-nic`, nic }, ownership, 'createNic');
      this.#users.set(`nic/${name}-nic`, name);
      const machine = { disks: [], subnetId: environment.appliance.subnetId };
      return this.#create({ kind: 'machine', name, machine }, ownership, 'createVirtualMachine');
    },
    beginImportDisk: async (_environment, { name, sourceUrl }, ownership) => {
      if (!this.snapshots.has(sourceUrl))
        throw terminal('azureRejected', `There is no ${sourceUrl}.`, 'Copy it first.');
      const { sizeBytes = 0 } = this.blobs.get(sourceUrl.split('?')[0] ?? '') ?? {};
      return this.#create({ kind: 'disk', name }, ownership, 'createDisk', sizeBytes);
    },
    beginMachine: async (_environment, wanted, ownership) => {
      const { name, osDisk, dataDisks, subnetId, networkSecurityGroupId: securityGroupId } = wanted;
      const disks = [osDisk, ...dataDisks].map((disk) => `disk/${disk}`);
      for (const disk of disks)
        if ((this.resources.get(disk)?.readyAt ?? Number.POSITIVE_INFINITY) > this.#clock.now())
          throw terminal('azureRejected', `${disk} is not there.`, 'Import it first.');
      if (this.testSubnets.has(subnetId) && !this.#isolated(subnetId, securityGroupId))
        this.#around.found(`${name} boots in a test network that is not isolated`);
      const nic = { address: `10.0.${1 + (this.#addresses >> 8)}.${this.#addresses++ & 255}`, securityGroupId };
      this.#create({ kind: 'nic', name: `${name}-nic`, nic }, ownership, 'createNic');
      for (const part of [...disks, `nic/${name}-nic`]) this.#users.set(part, name);
      return this.#create({ kind: 'machine', name, machine: { disks, subnetId } }, ownership, 'createVirtualMachine');
    },
    beginDeleteMachine: async (_environment, name) => this.#delete('machine', name, 'deleteVirtualMachine'),
    beginDeleteDisk: async (_environment, name) => this.#delete('disk', name, 'deleteDisk'),
    beginDeleteNic: async (_environment, name) => this.#delete('nic', name, 'deleteNic'),
    advance: async (_environment, operation) => {
      return this.#progress(operation);
    },
    power: async (_environment, name) => (this.#find('machine', name) === undefined ? 'absent' : 'running'),
    runCommand: async (_environment, name, [line = '']) => this.files.get(`${name} ${line.replace('cat ', '')}`) ?? '',
    reachFrom: async (_environment, name, endpoints) =>
      endpoints.map(({ host, port }) => {
        const leaks = this.reaches('Outbound', name);
        return { seen: leaks ? 'open' : 'silent', detail: `${host}:${port} from ${name}` };
      }),
    runScript: async (_environment, name, run) => {
      if (this.#find('machine', name) === undefined)
        throw terminal('notFound', `There is no ${name}.`, 'Launch it first.');
      return this.scripts.run(name, run);
    },
    privateAddress: async (_environment, name) => this.#find('nic', `${name}-nic`)?.nic?.address,
    setTags: async (_environment, name, tags) => {
      const machine = this.#find('machine', name);
      if (machine === undefined) throw terminal('notFound', `There is no ${name}.`, 'Launch it first.');
      if (Object.entries(tags).every(([tag, value]) => machine.tags[tag] === value)) return;
      machine.tags = { ...machine.tags, ...tags };
      this.#changed(`tag machine/${name}`, 'resource', `machine/${name}`);
    },
    listOwned: async (_environment, tag, value) => {
      const owned = [...this.resources.values()].filter(({ kind, name }) => this.#find(kind, name) !== undefined);
      return owned
        .filter(({ tags }) => tags[`landfall:${tag}`] === value)
        .map(({ kind, name, tags }) => ({ id: `${kind}/${name}`, type: kind, name, tags }));
    },
  };

  network: Azure['network'] = {
    describeSubnet: async (id) => ({
      id,
      addressPrefix: '10.0.2.0/24',
      virtualNetworkId: 'island',
      peerings: [],
      networkSecurityGroupId: aroundSubnet(id),
    }),
    securityRules: async (id) => this.#rulesOf(id),
    machineSecurityGroup: async (_environment, name) => this.#find('nic', `${name}-nic`)?.nic?.securityGroupId,
    setMachineSecurityGroup: async (_environment, name, securityGroupId) => {
      const nic = this.#find('nic', `${name}-nic`)?.nic;
      if (nic === undefined) throw terminal('notFound', `There is no NIC of ${name}.`, 'Launch it first.');
      const before = nic.securityGroupId;
      nic.securityGroupId = securityGroupId;
      if (before !== securityGroupId)
        this.#changed(
          `${name} behind ${securityGroupId?.split('/').at(-1) ?? 'nothing'}`,
          'resource',
          `machine/${name}`,
        );
    },
    ensureDenyAll: async (environment, name, ownership, admitted = []) => {
      const admits = admitted.map(({ from }, index) => ({ source: from, priority: 100 + index }));
      const rules = admits.flatMap((who) =>
        denyAll.slice(0, 1).map((rule) => ({ ...rule, ...who, name: 'tester', access: 'Allow' as const })),
      );
      const securityGroup = { rules: [...rules, ...denyAll] };
      this.#create({ kind: 'securityGroup', name, securityGroup }, ownership, 'createNetworkSecurityGroup');
      return idIn(environment, securityGroups, name);
    },
    removeSecurityGroup: async (environment, name) => {
      const id = idIn(environment, securityGroups, name);
      const user = [...this.resources.values()].find(({ nic }) => nic?.securityGroupId === id);
      if (user !== undefined && this.#find('nic', user.name))
        throw transient('conflict', `${name} is used by ${user.name}.`, 'Delete that first.', 1);
      const key = `securityGroup/${name}`;
      if (!this.resources.has(key)) return;
      // Told while its tags can still be read.
      this.#changed(`delete ${key}`, 'resource', key);
      this.resources.delete(key);
    },
  };

  dns: Azure['dns'] = {
    get: async (_zone, record, type) => this.records.get(`${type} ${record}`),
    set: async (_zone, record, type, value) => this.setRecord(type, record, value),
    remove: async (_zone, record, type) => this.removeRecord(type, record),
    requireZone: async () => {},
  };

  readonly pools: ModelledPools;

  get monitoring(): Azure['monitoring'] {
    return this.monitored.azure;
  }

  get loadBalancers(): Azure['loadBalancers'] {
    return this.pools.azure;
  }

  staging: Azure['staging'] = {
    ensureBlob: async (_environment, name, sizeBytes, ownership) => {
      if (this.blobs.has(name)) return;
      this.blobs.set(name, { sizeBytes, tags: ownershipTags(ownership) });
      this.#changed(`create blob ${name}`, 'blob', name);
    },
    blobUrl: async (_environment, name, snapshot) => `${name}${snapshot === undefined ? '' : `?${snapshot}`}`,
    writeAccess: async (_environment, name) => ({ url: name, expiresAt: this.#clock.iso() }),
    snapshotExists: async (_environment, name, snapshot) => this.snapshots.has(`${name}?${snapshot}`),
    removeBlob: async (_environment, name) => {
      for (const point of this.snapshots) if (point.startsWith(`${name}?`)) this.snapshots.delete(point);
      if (this.blobs.delete(name)) this.#changed(`remove blob ${name}`, 'blob', name);
    },
  };

  #rulesOf(id: string): Rule[] {
    if ([...this.testSubnets].some((subnetId) => aroundSubnet(subnetId) === id)) return this.testRules;
    return this.#find('securityGroup', id.split('/').at(-1) ?? '')?.securityGroup?.rules ?? denyAll;
  }

  /** Whether both groups let nobody pass but testers. */
  #isolated(subnetId: string, securityGroupId: string): boolean {
    return [aroundSubnet(subnetId), securityGroupId].every((id) =>
      (['Inbound', 'Outbound'] as const).every((direction) => this.#denies(id, direction)),
    );
  }

  #denies(securityGroupId: string, direction: Rule['direction']): boolean {
    const [first] = this.#rulesOf(securityGroupId)
      .filter((rule) => rule.direction === direction && (direction === 'Outbound' || !this.testers.has(rule.source)))
      .sort((a, b) => a.priority - b.priority);
    return first?.access === 'Deny';
  }

  /** Whether packets pass between a clone and others: out of it, or in to it from somebody who is no tester. */
  reaches(direction: Rule['direction'], name: string): boolean {
    const subnetId = this.#find('machine', name)?.machine?.subnetId;
    const securityGroupId = this.#find('nic', `${name}-nic`)?.nic?.securityGroupId;
    const around = [securityGroupId, subnetId === undefined ? undefined : aroundSubnet(subnetId)];
    return this.leaks.has(direction) || around.every((id) => id === undefined || !this.#denies(id, direction));
  }
}
