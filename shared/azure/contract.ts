// What the app does in the target environment, in its own words. The files beside this one do it with the Azure SDKs.
// Long operations come as a pair: `begin…` sends the request and returns the poller's serialised state, `advance` asks
// once how far it is. Names are deterministic, so everything can be repeated.
import type { Environment } from '../model/environment.ts';
import type { Reached } from '../model/probe.ts';
import type { Capacity } from '../policy/capacity.ts';
import type { RuleFacts, TesterFacts } from '../policy/isolation.ts';
import type { Endpoint } from './reachFrom.ts';

/** Serialised state of a long-running operation, to be handed to `advance`; `done` operations need no polling. */
export interface LongOperation {
  kind:
    | 'createVirtualMachine'
    | 'deleteVirtualMachine'
    | 'startVirtualMachine'
    | 'stopVirtualMachine'
    | 'createDisk'
    | 'deleteDisk'
    | 'createNic'
    | 'deleteNic'
    | 'createNetworkSecurityGroup'
    | 'deleteNetworkSecurityGroup';
  /** What it works on, for messages. */
  name: string;
  state: string;
}
export type Progress =
  | { done: true }
  | { done: false; operation: LongOperation; retryAfterSeconds?: number | undefined };

/** Tags on everything that we create (invariant 3). */
export interface Ownership {
  owner: string;
  wave: string;
  workload: string;
  /** ISO 8601 instant. */
  expires: string;
  /** Of what UAT makes: the only thing that its expiry may remove. */
  purpose?: 'test';
}

export interface RoleGap {
  principalId: string;
  role: 'replication' | 'cutover';
  scope: string;
  /** Role name of ours. */
  roleName: string;
  /** Actions that the plan needs and that the principal does not have at the scope. */
  missing: string[];
}

export interface MadeRole {
  kind: 'roleDefinition' | 'roleAssignment';
  id: string;
}

export interface Azure {
  authorization: {
    /**
     * Compares what the two working identities need (a fixed table per identity, and what the cutover identity needs
     * `besides` for the actions of the plans) with what they hold through assignments at or above the resource groups.
     */
    gaps(environment: Environment, besides: readonly string[]): Promise<RoleGap[]>;
    /** Creates our custom role definitions and the missing assignments under deterministic names; returns what did not exist before. */
    grant(environment: Environment, gaps: RoleGap[], besides: readonly string[]): Promise<MadeRole[]>;
    /** Whether the working identities themselves already see the permissions (propagation). */
    effective(environment: Environment, besides: readonly string[]): Promise<boolean>;
    /** Deletes only what is named; tolerates absence. */
    revoke(environment: Environment, made: MadeRole[]): Promise<void>;
  };
  /** Machine sizes and quota in the environment's region; may be up to 20 s old. */
  capacity(environment: Environment): Promise<Capacity>;
  compute: {
    /** The appliance's machine: from the image, no public IP, custom data. `begin` = NIC then VM; the NIC is created inside (it is quick). */
    findMachine(
      environment: Environment,
      name: string,
    ): Promise<{ id: string; provisioning: string; power: string; tags: Record<string, string> } | undefined>;
    beginAppliance(environment: Environment, name: string, customData: string, ownership: Ownership): Promise<Progress>;
    /** Imports a managed disk from a staging blob snapshot URL (or blob URL). */
    beginImportDisk(
      environment: Environment,
      disk: { name: string; sourceUrl: string; sku: string; boot: boolean },
      ownership: Ownership,
    ): Promise<Progress>;
    /** A machine from imported disks behind one NIC. Created started. */
    beginMachine(
      environment: Environment,
      machine: {
        name: string;
        size: string;
        osDisk: string;
        dataDisks: string[];
        subnetId: string;
        networkSecurityGroupId: string;
        privateAddress?: string;
      },
      ownership: Ownership,
    ): Promise<Progress>;
    beginDeleteMachine(environment: Environment, name: string): Promise<Progress>;
    beginDeleteDisk(environment: Environment, name: string): Promise<Progress>;
    /** The NIC of a machine that we made is called `{machine}-nic`; delete the machine first. */
    beginDeleteNic(environment: Environment, name: string): Promise<Progress>;
    advance(environment: Environment, operation: LongOperation): Promise<Progress>;
    power(environment: Environment, name: string): Promise<'running' | 'stopped' | 'deallocated' | 'absent' | 'other'>;
    /** Run command on a Linux machine; returns stdout. */
    runCommand(environment: Environment, name: string, script: string[]): Promise<string>;
    /** From inside a Linux machine, by run command: what becomes of a TCP connection to each address, in their order. */
    reachFrom(environment: Environment, name: string, endpoints: readonly Endpoint[]): Promise<Reached[]>;
    /** Runs a script on one of our Linux machines, once for each id unless it fails; waits for its end and says how it ended. */
    runScript(
      environment: Environment,
      machineName: string,
      run: { id: string; lines: readonly string[]; withinSeconds: number },
    ): Promise<ScriptOutcome>;
    privateAddress(environment: Environment, machineName: string): Promise<string | undefined>;
    /** Adds to the machine's tags; those that begin with `landfall:` stay as they are. */
    setTags(environment: Environment, machineName: string, tags: Record<string, string>): Promise<void>;
    /** Everything in the environment's resource group that carries this tag of ours with this value. */
    listOwned(
      environment: Environment,
      tag: 'wave' | 'purpose',
      value: string,
    ): Promise<{ id: string; type: string; name: string; tags: Record<string, string> }[]>;
  };
  network: {
    /** The subnet with its NSG's rules resolved, for the isolation proof. */
    describeSubnet(subnetId: string): Promise<{
      id: string;
      addressPrefix: string;
      virtualNetworkId: string;
      peerings: string[];
      networkSecurityGroupId?: string;
      routeTableId?: string;
    }>;
    securityRules(networkSecurityGroupId: string): Promise<RuleFacts[]>;
    /** The NSG on a machine's NIC, for capture. */
    machineSecurityGroup(environment: Environment, machineName: string): Promise<string | undefined>;
    setMachineSecurityGroup(
      environment: Environment,
      machineName: string,
      networkSecurityGroupId: string | undefined,
    ): Promise<void>;
    /** Makes (idempotent) a security group for isolation, tagged: it denies all, and lets only these in. */
    ensureDenyAll(
      environment: Environment,
      name: string,
      ownership: Ownership,
      admitted?: readonly TesterFacts[],
    ): Promise<string>;
    removeSecurityGroup(environment: Environment, name: string): Promise<void>;
  };
  dns: {
    /** The record set as it is, or undefined; the before-state that undo puts back. */
    get(zoneId: string, record: string, type: DnsType): Promise<DnsRecord | undefined>;
    set(zoneId: string, record: string, type: DnsType, value: DnsRecord): Promise<void>;
    remove(zoneId: string, record: string, type: DnsType): Promise<void>;
    /** Throws `notFound` unless there is such a zone. */
    requireZone(zoneId: string): Promise<void>;
  };
  loadBalancers: {
    /** How a backend pool knows its members; throws `notFound` without such a pool. */
    pool(poolId: string): Promise<{ by: 'interfaces' | 'addresses' | 'nothing' }>;
    /** An address that a pool holds itself, with what it takes to put it back. */
    address(poolId: string, address: string): Promise<PoolAddress | undefined>;
    takeOut(poolId: string, address: string): Promise<void>;
    /** Puts it where it was, unless it is there. */
    putBack(poolId: string, address: PoolAddress): Promise<void>;
    /** Whether a machine is in a pool with its network interface; putting it in, and taking it out if both are there. */
    has(environment: Environment, machineName: string, poolId: string): Promise<boolean>;
    join(environment: Environment, machineName: string, poolId: string): Promise<void>;
    leave(environment: Environment, machineName: string, poolId: string): Promise<void>;
  };
  monitoring: {
    /** Throws `notFound` unless there is such a data collection rule. */
    requireRule(dataCollectionRuleId: string): Promise<void>;
    /** Whether one of our machines is under a rule by our association; making that, and taking it away if it is there. */
    isAssociated(environment: Environment, machineName: string, dataCollectionRuleId: string): Promise<boolean>;
    associate(environment: Environment, machineName: string, dataCollectionRuleId: string): Promise<void>;
    dissociate(environment: Environment, machineName: string, dataCollectionRuleId: string): Promise<void>;
  };
  staging: {
    /** Makes the container and the page blob of `sizeBytes` rounded up to 1 MiB plus 512 (idempotent; never shrinks or clears an existing one; a different size is refused). */
    ensureBlob(environment: Environment, blobName: string, sizeBytes: number, ownership: Ownership): Promise<void>;
    /** URL of the blob (or of one snapshot), without a token. */
    blobUrl(environment: Environment, blobName: string, snapshot?: string): Promise<string>;
    /** A user-delegation SAS for one blob: read and write, for at most `hours`. */
    writeAccess(environment: Environment, blobName: string, hours: number): Promise<{ url: string; expiresAt: string }>;
    snapshotExists(environment: Environment, blobName: string, snapshot: string): Promise<boolean>;
    /** Deletes the blob with its snapshots; only on a recorded decision. */
    removeBlob(environment: Environment, blobName: string): Promise<void>;
  };
}

/** How a script ended; of what it said Azure keeps the last 4 KB. */
export interface ScriptOutcome {
  exitCode: number;
  output: string;
  error: string;
}

export interface PoolAddress {
  /** Its place among the pool's addresses, from 0. */
  place: number;
  name: string;
  address: string;
  virtualNetworkId?: string | undefined;
  subnetId?: string | undefined;
  adminState?: string | undefined;
}

export type DnsType = 'A' | 'AAAA' | 'CNAME';

export interface DnsRecord {
  ttlSeconds: number;
  values: string[];
}
