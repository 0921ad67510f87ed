// All parts together: in the order in which they need each other, and stopped in reverse.
import { join, resolve } from 'node:path';
import { type RunningArm, startArm } from './arm/main.ts';
import { startCosmos } from './cosmos/server.ts';
import { startEventGrid } from './eventgrid/server.ts';
import { describeLoadError } from './host/app.ts';
import { startHost } from './host/startHost.ts';
import { startIdentity } from './identity/server.ts';
import { Keepsakes } from './keepsakes.ts';
import { ensurePki, trustCa } from './pki.ts';
import { fill, type Resources } from './resources.ts';
import { startServiceBus } from './servicebus/index.ts';
import { startStorage } from './storage/server.ts';

export interface CloudOptions {
  /** The app: a folder with package.json and host.json. */
  appDirectory: string;
  resources: Resources;
  dataDir: string;
  log: (line: string) => void;
  /** Loads the app anew when its files change. */
  watch?: boolean;
}

export interface RunningCloud {
  /** By part: where it listens. */
  endpoints: Record<string, string>;
  caFile: string;
  arm: RunningArm;
  /** What of the app does not run, a line each. */
  loadErrors: string[];
  stop(): Promise<void>;
}

const partNames = ['identity', 'storage', 'arm', 'serviceBus', 'cosmos', 'eventGrid', 'host'] as const;

/** Starts everything and loads the app. Settings reach the app through `process.env`, as under any Functions host. */
export async function startCloud({
  appDirectory,
  resources,
  dataDir,
  log,
  watch,
}: CloudOptions): Promise<RunningCloud> {
  const keepsakes = new Keepsakes(dataDir);
  const ports = await keepsakes.ports(partNames);
  const pki = await ensurePki(dataDir);
  trustCa(pki.ca);
  const tls = { key: pki.key, cert: pki.cert, ca: pki.ca };
  const caFile = resolve(join(dataDir, 'pki', 'ca.crt'));
  const running: { stop(): Promise<void> }[] = [];
  const started = <T extends { stop(): Promise<void> }>(part: T): T => {
    running.push(part);
    return part;
  };
  const stop = async (): Promise<void> => {
    for (const part of running.splice(0).reverse()) await part.stop();
  };

  const known: Record<string, string> = {};
  const lookUp = (name: string): string | undefined => {
    if (name.startsWith('secret:')) return keepsakes.secret(name.slice('secret:'.length));
    if (name.startsWith('es256:')) return keepsakes.es256(name.slice('es256:'.length));
    return known[name];
  };
  try {
    const common = { dataDir, log };
    const identity = started(await startIdentity({ ...common, ...resources.identity, port: ports.identity }));
    const { verifyToken } = identity;
    Object.assign(known, {
      'identity.endpoint': identity.endpoint,
      'identity.issuer': identity.issuer,
      'identity.jwksUri': identity.jwksUri,
      'identity.managedEndpoint': identity.identityEndpoint,
      'identity.header': identity.identityHeader,
    });
    const { accounts } = fill(resources.storage, lookUp);
    const storage = started(await startStorage({ ...common, tls, accounts, verifyToken, port: ports.storage }));
    known['storage.endpoint'] = storage.endpoint;
    const namespace = fill(resources.serviceBus, lookUp);
    const serviceBus = started(
      await startServiceBus({ ...common, tls, namespace, verifyToken, port: ports.serviceBus }),
    );
    known['serviceBus.host'] = serviceBus.host;
    const cosmos = started(
      await startCosmos({
        ...common,
        tls,
        ...resources.cosmos,
        masterKey: keepsakes.secret('cosmosKey'),
        verifyToken,
        port: ports.cosmos,
      }),
    );
    known['cosmos.endpoint'] = cosmos.endpoint;
    const { topics } = fill(resources.eventGrid, lookUp);
    const eventGrid = started(await startEventGrid({ ...common, tls, topics, verifyToken, port: ports.eventGrid }));
    for (const { name } of topics) known[`eventGrid.${name}`] = eventGrid.endpoint(name);
    // Known before it answers: the processes that machines are may be told where to ask for their network.
    known['arm.endpoint'] = `https://localhost:${ports.arm}`;
    // After the bus, so that it stops before it: machines are its clients.
    const arm = await startArm({
      ...common,
      tls,
      declared: fill(resources.arm, lookUp),
      tenantId: resources.identity.tenantId,
      repoRoot: resolve(appDirectory),
      machineEnv: { NODE_EXTRA_CA_CERTS: caFile },
      openBlob: storage.openBlob,
      verifyToken,
      port: ports.arm,
    });
    started({ stop: () => arm.stop() });
    known['arm.endpoint'] = arm.endpoint;
    known['host.endpoint'] = `http://127.0.0.1:${ports.host}`;
    const host = started(
      await startHost({
        ...{ ...common, appDirectory, port: ports.host, watch: watch ?? false },
        settings: fill(resources.settings, lookUp),
        // That file is for other ways to run the app, and may name services that are not local.
        localSettings: false,
      }),
    );
    log(`the app runs: ${host.functionNames.length} functions at ${host.endpoint}`);
    const { 'identity.header': _header, ...endpoints } = known;
    const loadErrors = host.loadErrors.map(describeLoadError);
    return { endpoints, caFile, arm, loadErrors, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
