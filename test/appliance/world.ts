// The appliance's surroundings for tests: a real broker, real page blobs, and a platform that is a few lines of HTTP.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';

import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { JWK } from 'jose';
import { openTokens } from '../../local/identity/tokens.ts';
import { closeServer, listenOnLoopback, readBody } from '../../local/loopback.ts';
import { ensurePki, trustCa } from '../../local/pki.ts';
import { startServiceBus } from '../../local/servicebus/index.ts';
import { startStorage } from '../../local/storage/server.ts';
import { fixedVhdFooter, vhdDiskSizeOf, vhdSizeOf } from '../../shared/model/vhd.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import { BlobAccessClaims, EnrolmentRequest } from '../../shared/protocol/enrolment.ts';
import { type ApplianceEvent, type ApplianceEventType, parseApplianceEvent } from '../../shared/protocol/events.ts';
import { claimedSender, signCommand, verifyEvent, verifyRequest } from '../../shared/protocol/signing.ts';

export const applianceId = 'agent-web-01';
const account = 'staging';
const accountKey = Buffer.alloc(32, 7).toString('base64');
const rules = [
  { KeyName: 'root', Key: 'root-key', Rights: ['Manage' as const] },
  { KeyName: 'send', Key: 'send-key', Rights: ['Send' as const], Entity: 'appliance-events' },
  { KeyName: 'listen', Key: 'listen-key', Rights: ['Listen' as const], Entity: 'appliance-commands' },
];

function sasToken(resource: string, keyName: string, key: string, seconds: number): string {
  const sr = encodeURIComponent(resource);
  const se = Math.floor(Date.now() / 1000) + seconds;
  const sig = encodeURIComponent(createHmac('sha256', key).update(`${sr}\n${se}`).digest('base64'));
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${se}&skn=${keyName}`;
}

async function isOf(keys: readonly JWK[], jws: string): Promise<boolean> {
  const looked = keys.map((key) =>
    verifyEvent(jws, key).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(looked)).includes(true);
}

export interface Received {
  event: ApplianceEvent;
  jws: string;
}

export type World = Awaited<ReturnType<typeof startWorld>>;

/** Starts broker, storage and platform; `stop` ends them and every appliance that was spawned. */
export async function startWorld() {
  const folder = mkdtempSync(join(tmpdir(), 'appliance-'));
  const pki = await ensurePki(folder);
  trustCa(pki.ca);
  const busAt = (port = 0) =>
    startServiceBus({
      dataDir: join(folder, 'bus'),
      port,
      tls: pki,
      namespace: {
        Queues: [{ Name: 'appliance-events', Properties: { RequiresSession: true } }],
        Topics: [
          {
            Name: 'appliance-commands',
            Properties: { RequiresDuplicateDetection: false },
            Subscriptions: [{ Name: applianceId, Properties: { LockDuration: 'PT5S' } }],
          },
        ],
        AuthorizationRules: rules,
      },
    });
  let bus = await busAt();
  const tokens = await openTokens(undefined, 'https://issuer.test', '11111111-1111-4111-8111-111111111111');
  const storageAt = (port = 0) =>
    startStorage({
      dataDir: folder,
      port,
      tls: pki,
      accounts: [{ name: account, key: accountKey }],
      verifyToken: tokens.verify,
    });
  let storage = await storageAt();
  const token = await tokens.issue({ oid: randomUUID(), name: 'test' }, 'https://storage.azure.com', 3600);
  const blobs = new BlobServiceClient(`${storage.endpoint}/${account}`, {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }),
  });
  const container: ContainerClient = blobs.getContainerClient('staging');
  await container.create();

  const platformKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const platformKey = platformKeys.publicKey.export({ format: 'jwk' }) as Record<string, string>;
  const settings = {
    token: 'one-time-token-0123456789',
    blobSeconds: 3600,
    /** What the platform says about it, where that differs. */
    blobClaimedSeconds: undefined as number | undefined,
    busSeconds: 3600,
    /** Answers so many requests with 503 first. */
    failing: 0,
    heartbeatSeconds: 1,
    /** Access to a blob is answered after this: a sync that has asked for it has read nothing yet. */
    beforeBlobAccess: async (): Promise<void> => {},
  };
  const asked: string[] = [];
  let enrolledKey: JWK | undefined;
  const earlierKeys: JWK[] = [];

  const busAccess = () => ({
    host: bus.host,
    eventsQueue: 'appliance-events',
    eventsToken: sasToken(`sb://${bus.host}/appliance-events`, 'send', 'send-key', settings.busSeconds),
    commandsTopic: 'appliance-commands',
    commandsSubscription: applianceId,
    commandsToken: sasToken(
      `sb://${bus.host}/appliance-commands/Subscriptions/${applianceId}`,
      'listen',
      'listen-key',
      settings.busSeconds,
    ),
    expiresAt: new Date(Date.now() + settings.busSeconds * 1000).toISOString(),
  });
  const blobAccess = (diskId: string) => {
    const expiresOn = new Date(Date.now() + settings.blobSeconds * 1000);
    const sas = generateBlobSASQueryParameters(
      { containerName: 'staging', blobName: `${diskId}.vhd`, permissions: BlobSASPermissions.parse('rw'), expiresOn },
      new StorageSharedKeyCredential(account, accountKey),
    );
    const expiresAt = new Date(Date.now() + (settings.blobClaimedSeconds ?? settings.blobSeconds) * 1000).toISOString();
    return { url: `${storage.endpoint}/${account}/staging/${diskId}.vhd?${sas}`, expiresAt };
  };
  const answerOf = async (path: string, body: unknown): Promise<{ status: number; answer: unknown }> => {
    asked.push(path);
    if (settings.failing > 0) {
      settings.failing--;
      return { status: 503, answer: { message: 'not yet' } };
    }
    if (path === '/api/appliances/enrol') {
      const request = EnrolmentRequest.parse(body);
      if (request.token !== settings.token || (enrolledKey && enrolledKey.x !== request.publicKey.x))
        return { status: 401, answer: { message: 'the token is spent' } };
      enrolledKey = request.publicKey;
      const { heartbeatSeconds } = settings;
      const answer = { applianceId, environmentId: 'env', platformKey, heartbeatSeconds, bus: busAccess() };
      return { status: 200, answer };
    }
    if (!enrolledKey) return { status: 401, answer: { message: 'unknown appliance' } };
    const claims = await verifyRequest((body as { request: string }).request, applianceId, enrolledKey);
    if (path.endsWith('/tokens')) return { status: 200, answer: busAccess() };
    if (path.endsWith('/agent-access')) return { status: 403, answer: { message: 'not asked to' } };
    await settings.beforeBlobAccess();
    return { status: 200, answer: blobAccess(BlobAccessClaims.parse(claims).diskId) };
  };
  const platform = createServer((request, response) => {
    void (async () => {
      const body: unknown = JSON.parse((await readBody(request)).toString('utf8'));
      const { status, answer } = await answerOf(request.url ?? '', body).catch((error: unknown) => ({
        status: 400,
        answer: { message: String(error) },
      }));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    })();
  });
  const enrolUrl = `http://127.0.0.1:${await listenOnLoopback(platform)}/api/appliances/enrol`;

  const root = (): ServiceBusClient =>
    new ServiceBusClient(`Endpoint=sb://${bus.host}/;SharedAccessKeyName=root;SharedAccessKey=root-key`, {
      retryOptions: { maxRetries: 0, timeoutInMs: 3000 },
    });
  let client = root();
  // A client that is closed may leave an operation pending for ever: whoever waits for one gives up with the client.
  let closing = Promise.withResolvers<never>();
  closing.promise.catch(() => undefined);
  const closeClient = async (): Promise<void> => {
    closing.reject(new Error('the client is closed'));
    await client.close();
  };
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  const pumps: Promise<void>[] = [];
  let isOver = false;
  const readSession = async (subject: string): Promise<void> => {
    while (!isOver) {
      const own = client;
      const orClosed = <T>(operation: Promise<T>): Promise<T> => Promise.race([operation, closing.promise]);
      try {
        const session = await orClosed(own.acceptSession('appliance-events', subject));
        while (!isOver && own === client) {
          for (const message of await orClosed(session.receiveMessages(20, { maxWaitTimeInMs: 300 }))) {
            const jws = message.body as string;
            if (claimedSender(jws) !== applianceId || (!enrolledKey && earlierKeys.length === 0))
              throw new Error('an event of nobody');
            const isLate = await isOf(earlierKeys, jws);
            const parsed = isLate ? undefined : parseApplianceEvent(await verifyEvent(jws, enrolledKey as JWK));
            if (!parsed) {
              await orClosed(session.completeMessage(message));
              continue;
            }
            if (!('event' in parsed)) throw new Error(parsed.problem.message);
            received.push({ event: parsed.event, jws });
            await orClosed(session.completeMessage(message));
            for (const look of watchers) look();
          }
        }
      } catch (error) {
        if (isOver) return;
        if (error instanceof Error && /of nobody|brokenBody/.test(error.message)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  for (const subject of [applianceId, 'wave/web']) pumps.push(readSession(subject));

  const children: ChildProcess[] = [];
  const bootstrap = join(folder, 'bootstrap.json');
  const writeBootstrap = (): void =>
    writeFileSync(bootstrap, JSON.stringify({ enrolUrl, token: settings.token, kind: 'agent' }));
  writeBootstrap();

  const applianceEnvironment = {
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
    NODE_EXTRA_CA_CERTS: pki.caFile ?? '',
    LANDFALL_HOST_NAME: 'web-01',
  };

  return {
    folder,
    /** What an appliance must find in its environment to work here, beside its own settings. */
    applianceEnvironment,
    /** Size of the disk that the tests of this world copy. */
    sizeBytes: 0,
    stateDir: join(folder, 'state'),
    settings,
    asked,
    received,
    container,
    bootstrap,
    writeBootstrap,

    /** Spawns the appliance as its own process: `program`, or the sources as they are. */
    appliance(
      environment: Record<string, string> = {},
      program = join(import.meta.dirname, '../../appliance/main.ts'),
    ) {
      const child = spawn(process.execPath, [program], {
        env: {
          PATH: process.env['PATH'] ?? '',
          ...applianceEnvironment,
          LANDFALL_STATE_DIR: join(folder, 'state'),
          LANDFALL_BOOTSTRAP: bootstrap,
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      const lines: string[] = [];
      const keep = (chunk: Buffer): void => {
        lines.push(...chunk.toString('utf8').split('\n').filter(Boolean));
      };
      child.stdout.on('data', keep);
      child.stderr.on('data', keep);
      const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
      return {
        child,
        lines,
        exited,
        async kill() {
          child.kill('SIGKILL');
          await exited;
        },
        async terminate() {
          child.kill('SIGTERM');
          return (await exited)[0];
        },
      };
    },

    /** Resolves with the first event that fits, among those that came and those to come. */
    event<T extends ApplianceEventType>(
      type: T,
      fits: (event: Extract<ApplianceEvent, { type: T }>) => boolean = () => true,
    ): Promise<Extract<ApplianceEvent, { type: T }>> {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          for (const { event } of received) {
            if (event.type !== type || !fits(event as Extract<ApplianceEvent, { type: T }>)) continue;
            watchers.delete(look);
            clearTimeout(timer);
            resolve(event as Extract<ApplianceEvent, { type: T }>);
            return;
          }
        };
        const timer = setTimeout(() => {
          watchers.delete(look);
          const seen = received.map(({ event }) => `${event.type} ${JSON.stringify(event.data)}`).join('\n');
          reject(new Error(`no ${type} came; these did:\n${seen}`));
        }, 30_000);
        watchers.add(look);
        look();
      });
    },

    async command(command: Omit<Command, 'aud'>, validForSeconds = 600): Promise<void> {
      const key = { ...platformKeys.privateKey.export({ format: 'jwk' }) } as JWK;
      const jws = await signCommand({ ...command, aud: applianceId } as Command, key, validForSeconds);
      await this.publish(jws);
    },

    async publish(body: unknown): Promise<void> {
      const sender = client.createSender('appliance-commands');
      await sender.sendMessages({ body, messageId: randomUUID() });
      await sender.close();
    },

    /** Bodies of the commands that the appliance has refused for good. */
    async deadLetters(): Promise<unknown[]> {
      const receiver = client.createReceiver('appliance-commands', applianceId, { subQueueType: 'deadLetter' });
      const messages = await receiver.receiveMessages(10, { maxWaitTimeInMs: 3000 });
      await receiver.close();
      return messages.map(({ body }) => body as unknown);
    },

    /** The platform forgets the appliance's key. */
    revoke(): void {
      enrolledKey = undefined;
    },

    hasEnrolled: (): boolean => enrolledKey !== undefined,

    /** Another appliance may enrol in the place of the one that has; what that one still sends is not looked at. */
    makeRoom(): void {
      if (enrolledKey) earlierKeys.push(enrolledKey);
      enrolledKey = undefined;
    },

    /** A staging blob as the platform makes it: an empty fixed VHD. */
    async stage(diskId: string, sizeBytes: number) {
      const blob = container.getPageBlobClient(`${diskId}.vhd`);
      await blob.create(vhdSizeOf(sizeBytes));
      await blob.uploadPages(fixedVhdFooter(sizeBytes), vhdDiskSizeOf(sizeBytes), 512);
      return blob;
    },

    async restartBus(whileDown: () => Promise<void> = async () => {}) {
      const port = Number(bus.host.split(':')[1]);
      await closeClient();
      await bus.stop();
      await whileDown();
      bus = await busAt(port);
      client = root();
      closing = Promise.withResolvers<never>();
      closing.promise.catch(() => undefined);
    },

    async restartStorage(whileDown: () => Promise<void> = async () => {}) {
      const port = Number(new URL(storage.endpoint).port);
      await storage.stop();
      await whileDown();
      storage = await storageAt(port);
    },

    async stop() {
      isOver = true;
      for (const child of children) child.kill('SIGKILL');
      await closeClient();
      await Promise.all(pumps);
      await bus.stop();
      await storage.stop();
      await closeServer(platform);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
