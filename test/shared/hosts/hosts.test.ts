import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { MigrationError } from '../../../shared/errors.ts';
import { createHosts } from '../../../shared/hosts/hosts.ts';
import { Source } from '../../../shared/model/source.ts';

const hosts = createHosts();
const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

const sourceOn = (host: object): Source => ({
  ...Source.parse({
    id: 'db-01',
    hostName: 'db-01.lab',
    platform: 'kvm',
    os: { family: 'linux', name: 'Linux' },
    site: 'lab',
    host: { kind: 'byHand' },
    disks: [{ id: 'system', path: '/disk', sizeBytes: 512 }],
    nics: [],
    owner: 'tests',
    criticality: 'low',
  }),
  ...({ host } as Pick<Source, 'host'>),
});
const lab = (endpoint: string) => sourceOn({ kind: 'lab', endpoint, machine: 'db-01' });

async function failureOf(work: () => Promise<unknown>) {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MigrationError);
  return (error as MigrationError).failure;
}

describe('hosts', () => {
  it('have no implementation for what is handled by hand', () => {
    expect(hosts.of(sourceOn({ kind: 'byHand' }))).toBeUndefined();
    expect(hosts.ofSite({ id: 'lab', host: { kind: 'byHand' } })).toBeUndefined();
  });

  it('are reached by connections of a setting, each for its own kind', () => {
    const { of } = createHosts({ cellar: { kind: 'qemu', sockets: '/run/qmp' } });
    expect(of(sourceOn({ kind: 'qemu', connection: 'cellar', machine: 'db-01' }))).toBeDefined();
    expect(() => of(sourceOn({ kind: 'qemu', connection: 'attic', machine: 'db-01' }))).toThrow(
      /no connection of that name/,
    );
    expect(() => of(sourceOn({ kind: 'libvirt', connection: 'cellar', domain: 'db-01' }))).toThrow(
      /says that it is qemu/,
    );
  });
});

describe('a laboratory host', () => {
  it('is worth another try when nobody answers or it has a bad moment', async () => {
    const nobody = lab(await serve(() => undefined));
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(() => hosts.of(nobody)!.inspect(nobody))).toMatchObject({
      code: 'sourceUnreachable',
      kind: 'transient',
    });
    const broken = lab(await serve((_, response) => response.writeHead(500).end('{"error":"no"}')));
    expect(await failureOf(() => hosts.of(broken)!.powerOn(broken))).toMatchObject({ kind: 'transient' });
  });

  it('fails for good when it has no such machine or speaks another language', async () => {
    const empty = lab(await serve((_, response) => response.writeHead(404).end('{}')));
    expect(await failureOf(() => hosts.of(empty)!.powerOff(empty))).toMatchObject({
      code: 'sourceUnreachable',
      kind: 'terminal',
    });
    const other = lab(await serve((_, response) => response.end('<html>')));
    expect(await failureOf(() => hosts.of(other)!.inspect(other))).toMatchObject({ kind: 'terminal' });
  });

  it('is never followed to another address', async () => {
    let reached = 0;
    const elsewhere = await serve((_, response) => {
      reached++;
      response.end('{}');
    });
    const redirecting = lab(await serve((_, response) => response.writeHead(307, { location: elsewhere }).end()));
    expect((await failureOf(() => hosts.of(redirecting)!.powerOff(redirecting))).code).toBe('sourceUnreachable');
    expect(reached).toBe(0);
  });

  it.each(['http://169.254.169.254', 'http://2852039166', 'http://[fd00:ec2::254]:80'])(
    'at the metadata address %s is not contacted, even if it got into the store',
    async (endpoint) => {
      const source = lab(endpoint);
      expect(await failureOf(() => hosts.of(source)!.inspect(source))).toMatchObject({ code: 'invalidInput' });
    },
  );
});
