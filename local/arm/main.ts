// Azure Resource Manager in one HTTPS server, for the unmodified SDKs. Layers, outside in: http (tokens, api-version,
// throttling, permissions), providers (what each resource type accepts), operations (what takes time, and survives a
// restart), store (rows), machines and disks (what really exists: processes and files).
// It must not pretend: what it cannot do answers NotSimulated, and a machine runs only in one of the two ways that
// `machines/` describes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GroupCommit, openDatabase } from '../sqlite.ts';
import { Access } from './access/access.ts';
import type { Caller, Kernel, ResourceType, SubscriptionQuota } from './contract.ts';
import { type DeclaredResource, seedResources, unknownTypes } from './declared.ts';
import { DiskFiles, type OpenBlob } from './disks/files.ts';
import type { Fault } from './http/faults.ts';
import { listen } from './http/server.ts';
import { type Limits, Throttle } from './http/throttle.ts';
import type { MachineImage } from './machines/launch.ts';
import { type MachineState, Machines } from './machines/machines.ts';
import { Operations } from './operations.ts';
import { serveNetwork } from './network/serve.ts';
import { authorizationProvider } from './providers/authorization.ts';
import { readable } from './providers/common.ts';
import { computeProvider } from './providers/compute.ts';
import { serveContent } from './providers/diskAccess.ts';
import { dnsProvider } from './providers/dns.ts';
import { monitoringProvider } from './providers/monitoring.ts';
import { networkProvider } from './providers/network.ts';
import { privateDnsProvider } from './providers/privateDns.ts';
import { resourcesProvider } from './providers/resources.ts';
import { type SeedAssignment, seedAssignments } from './providers/roleAssignments.ts';
import { storageProvider } from './providers/storage.ts';
import { Store } from './store.ts';

export type { Fault } from './http/faults.ts';

/** The `arm` slice of the declared resources. */
export interface DeclaredArm {
  readonly subscriptions: readonly SubscriptionQuota[];
  readonly resources?: readonly DeclaredResource[];
  readonly roleAssignments?: readonly SeedAssignment[];
  /** By image resource id: the process that a machine of this image is. */
  readonly images?: Readonly<Record<string, MachineImage>>;
  /** What runs a machine from its OS disk, whose file it finds for `{disk}`; without one no kernel runs. */
  readonly hypervisor?: MachineImage | undefined;
}

export interface ArmOptions {
  readonly dataDir?: string | undefined;
  readonly port?: number;
  readonly tls: { readonly key: string; readonly cert: string };
  readonly log?: (line: string) => void;
  readonly declared: DeclaredArm;
  readonly tenantId: string;
  /** Working directory of machines that are processes. */
  readonly repoRoot: string;
  /** Environment that every machine process gets, such as NODE_EXTRA_CA_CERTS. */
  readonly machineEnv?: Readonly<Record<string, string>>;
  readonly openBlob: OpenBlob;
  readonly verifyToken: (jwt: string) => Promise<Caller>;
  /** Milliseconds that an operation waits before it does anything; 100 by default. */
  readonly latency?: number;
  /** Milliseconds until a new role assignment counts; 300 by default. */
  readonly propagation?: number;
  /** Whether a principal exists in the directory; by default any does. */
  readonly knownPrincipal?: (oid: string) => boolean;
  readonly limits?: Limits;
  /** Planned faults; the array is read at every request, so a test may add to it. */
  readonly faults?: Fault[];
}

export interface RunningArm {
  readonly endpoint: string;
  machines(): MachineState[];
  stop(options?: { keepMachines?: boolean }): Promise<void>;
}

/** Starts the server, inserts declared resources that are missing, and takes up what an earlier process left. */
export async function startArm(options: ArmOptions): Promise<RunningArm> {
  const log = options.log ?? (() => undefined);
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), 'landfall-arm-'));
  const commit = new GroupCommit(openDatabase(options.dataDir ? join(folder, 'arm', 'arm.sqlite') : ':memory:'));
  const store = new Store(commit.database);
  const operations = new Operations(commit, options.latency ?? 100, log);
  const access = new Access(store);
  const disks = new DiskFiles(join(folder, 'arm', 'disks'), options.openBlob);
  const machines = new Machines({
    commit,
    folder: join(folder, 'machines'),
    repoRoot: options.repoRoot,
    images: options.declared.images ?? {},
    hypervisor: options.declared.hypervisor,
    env: options.machineEnv ?? {},
    log,
  });
  const types = new Map<string, ResourceType>();
  const kernel: Kernel = {
    store,
    operations,
    access,
    disks,
    machines,
    subscriptions: options.declared.subscriptions,
    endpoint: () => operations.endpoint,
    tenantId: options.tenantId,
    propagation: options.propagation ?? 300,
    knownPrincipal: options.knownPrincipal ?? (() => true),
    dispose: async (resource) => types.get(resource.type.toLowerCase())?.dispose?.(resource),
  };
  const providers = [
    resourcesProvider,
    authorizationProvider,
    networkProvider,
    computeProvider,
    dnsProvider,
    privateDnsProvider,
    monitoringProvider,
    storageProvider,
  ];
  for (const type of providers.flatMap((provider) => provider(kernel))) types.set(type.type.toLowerCase(), type);

  for (const type of unknownTypes(options.declared.resources ?? [], types)) {
    types.set(type.toLowerCase(), readable(kernel, type));
  }
  await commit.write(() => {
    seedResources(store, types, options.declared);
    seedAssignments(kernel, options.declared.roleAssignments ?? []);
  });
  await machines.resume();
  const server = await listen(
    {
      types,
      commit,
      access,
      operations,
      throttle: new Throttle(options.limits ?? { reads: 12_000, writes: 12_000 }),
      faults: options.faults ?? [],
      subscriptions: new Set(options.declared.subscriptions.map(({ subscriptionId }) => subscriptionId.toLowerCase())),
      verifyToken: options.verifyToken,
      aside: (request, response) => serveContent(kernel, request, response) || serveNetwork(kernel, request, response),
      log,
    },
    options.tls,
    options.port ?? 0,
  );
  operations.endpoint = `https://localhost:${server.port}`;
  operations.resume();

  let stopped = false;
  return {
    endpoint: operations.endpoint,
    machines: () => machines.list(),
    async stop(how = {}) {
      if (stopped) return;
      stopped = true;
      await server.close();
      await operations.stop();
      await machines.close(how.keepMachines ?? false);
      commit.close();
      if (!options.dataDir) rmSync(folder, { recursive: true, force: true });
    },
  };
}
