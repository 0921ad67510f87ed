// What must stay the same from one start to the next: ports (URLs live on in the app's state) and secrets.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';

const Ports = z.record(z.string(), z.number());
const Secrets = z.record(z.string(), z.string());

export class Keepsakes {
  readonly #folder: string;
  readonly #secrets: Record<string, string>;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#secrets = this.#read('secrets.json', Secrets);
  }

  /** The ports of the named parts: those of last time, else free ones, kept. */
  async ports<Name extends string>(names: readonly Name[]): Promise<Record<Name, number>> {
    const ports = this.#read('ports.json', Ports);
    for (const name of names) ports[name] ??= await freePort(Object.values(ports));
    this.#write('ports.json', ports);
    return ports as Record<Name, number>;
  }

  /** A secret of 32 random bytes in base64, made on first use. */
  secret(name: string): string {
    return this.#keep(`secret:${name}`, () => randomBytes(32).toString('base64'));
  }

  /** A private ES256 key as JWK text, made on first use. */
  es256(name: string): string {
    return this.#keep(`es256:${name}`, () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return JSON.stringify(privateKey.export({ format: 'jwk' }));
    });
  }

  #keep(name: string, make: () => string): string {
    const known = this.#secrets[name];
    if (known !== undefined) return known;
    const made = make();
    this.#secrets[name] = made;
    this.#write('secrets.json', this.#secrets);
    return made;
  }

  #read<T>(file: string, schema: z.ZodType<T>): T {
    const path = join(this.#folder, file);
    return schema.parse(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});
  }

  #write(file: string, value: unknown): void {
    const path = join(this.#folder, file);
    writeFileSync(`${path}.new`, JSON.stringify(value, null, 2), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

async function freePort(taken: readonly number[]): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
      });
    });
    if (!taken.includes(port)) return port;
  }
}
