// Appliances that a scenario plays itself: registered as the platform would, enrolled over HTTPS, and then free to say
// whatever they like on the bus, with the real client and a token of their own.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { ServiceBusClient } from '@azure/service-bus';
import type { JWK } from 'jose';
import { z } from 'zod';
import type { LocalCloud } from '../../examples/harness/cloud.ts';
import { hashOfToken } from '../../shared/hash.ts';
import { type BusAccess, EnrolmentAnswer } from '../../shared/protocol/enrolment.ts';
import type { Envelope } from '../../shared/protocol/events.ts';
import { signEvent } from '../../shared/protocol/signing.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';

export class PlayedAppliance {
  readonly id: string;
  readonly privateKey: JWK;
  readonly bus: BusAccess;
  #sequence = 0;

  private constructor(id: string, privateKey: JWK, bus: BusAccess) {
    this.id = id;
    this.privateKey = privateKey;
    this.bus = bus;
  }

  /** Registers in the store, because no wave runs that would do it, and enrols. */
  static async enrol(cloud: LocalCloud, folder: string, id: string, environmentId: string): Promise<PlayedAppliance> {
    const token = randomBytes(32).toString('base64url');
    const document: ApplianceDocument = {
      id: `appliance.${id}`,
      kind: 'appliance',
      environmentId,
      applianceId: id,
      applianceKind: 'agent',
      status: 'awaited',
      tokenHash: hashOfToken(token),
      tokenExpiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const secrets = z.record(z.string(), z.string());
    const { 'secret:cosmosKey': key = '' } = secrets.parse(
      JSON.parse(readFileSync(join(folder, 'cloud', 'secrets.json'), 'utf8')),
    );
    const cosmos = new CosmosClient({ endpoint: z.string().parse(cloud.endpoints['cosmos.endpoint']), key });
    await cosmos.database('landfall').container('environments').items.create(document);
    cosmos.dispose();

    const { d, ...publicKey } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const response = await fetch(`${cloud.endpoints['host.endpoint']}/api/appliances/enrol`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, publicKey, kind: 'agent', version: '1.0.0', hostName: id }),
    });
    if (!response.ok) throw new Error(`${id} was not enrolled: ${await response.text()}`);
    const { bus } = EnrolmentAnswer.parse(await response.json());
    return new PlayedAppliance(id, { ...publicKey, ...(d === undefined ? {} : { d }) } as JWK, bus);
  }

  /** An event as this appliance would write it, with whatever shall be different. */
  event(type: string, subject: string, data: unknown, change: Partial<Envelope> = {}): Envelope {
    this.#sequence++;
    return {
      specversion: '1.0',
      id: `${this.id}-${this.#sequence}`,
      source: this.id,
      type,
      subject,
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      sequence: this.#sequence,
      data,
      ...change,
    };
  }

  sign(event: Envelope, as = this.id): Promise<string> {
    return signEvent(event, as, this.privateKey);
  }

  /** Sends bodies as one batch of one session, each a message of its own. */
  async send(subject: string, bodies: readonly string[]): Promise<void> {
    const client = new ServiceBusClient(this.bus.host, { signature: this.bus.eventsToken });
    try {
      const sender = client.createSender(this.bus.eventsQueue);
      await sender.sendMessages(
        bodies.map((body) => ({ body, sessionId: subject, messageId: randomBytes(12).toString('hex') })),
      );
    } finally {
      await client.close();
    }
  }
}
