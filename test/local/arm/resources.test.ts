import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { all, credentialOf, fast, location, owner, scope, startWorld, subscriptionId, type World } from './world.ts';

const account = `${scope}/resourceGroups/rg-declared/providers/Microsoft.Storage/storageAccounts/staging`;
const vault = `${scope}/resourceGroups/rg-declared/providers/Microsoft.KeyVault/vaults/keys`;
const blob = 'https://localhost:1/staging/';
let world: World;

beforeAll(async () => {
  const resources = [
    { id: account, body: { properties: { primaryEndpoints: { blob } } } },
    { id: vault, body: { properties: { vaultUri: 'https://vault.test/' } } },
  ];
  world = await startWorld({
    declared: { subscriptions: [{ subscriptionId, location, quota: { cores: 10 } }], resources },
  });
});
afterAll(() => world.stop());

/** What the SDK does not let one leave out. */
async function plain(path: string, headers: Record<string, string>): Promise<Response> {
  return fetch(`${world.arm.endpoint}${path}`, { headers });
}

describe('a request', () => {
  it('without a token answers 401 with a challenge, and so does one with a bad token', async () => {
    const none = await plain(`${scope}/resourcegroups?api-version=2025-04-01`, {});
    expect(none.status).toBe(401);
    expect(none.headers.get('www-authenticate')).toContain('Bearer');
    const bad = await plain(`${scope}/resourcegroups?api-version=2025-04-01`, { authorization: 'Bearer x' });
    expect(await bad.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
  });

  it('without an api-version answers 400 MissingApiVersionParameter', async () => {
    const { token } = await credentialOf(owner).getToken();
    const answer = await plain(`${scope}/resourcegroups`, { authorization: `Bearer ${token}` });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 'MissingApiVersionParameter' } });
  });

  it('for another subscription, or for a type that is not simulated, is told so', async () => {
    const { resources } = world.as(owner);
    const other = '/subscriptions/33333333-3333-4333-8333-333333333333/resourceGroups/a';
    await expect(resources.resources.getById(other, '2025-04-01')).rejects.toMatchObject({
      code: 'SubscriptionNotFound',
    });
    const bastion = `${scope}/resourceGroups/rg-declared/providers/Microsoft.Network/bastionHosts/b`;
    await expect(resources.resources.getById(bastion, '2025-04-01')).rejects.toMatchObject({
      statusCode: 501,
      code: 'NotSimulated',
    });
  });

  it('is told what remains of its limits, and 429 with the time to wait when nothing does', async () => {
    const remaining: number[] = [];
    const onResponse = (response: { headers: { get(name: string): string | undefined } }): void => {
      remaining.push(Number(response.headers.get('x-ms-ratelimit-remaining-subscription-reads')));
    };
    const poor = await startWorld({ limits: { reads: 2, writes: 10 } });
    const client = poor.as(owner, 0).resources;
    await all(client.resourceGroups.list({ onResponse }));
    await all(client.resourceGroups.list({ onResponse }));
    expect(remaining).toEqual([1, 0]);
    const refused = await all(client.resourceGroups.list()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ statusCode: 429, code: 'SubscriptionRequestsThrottled' });
    expect(
      Number((refused as { response: { headers: { get(name: string): string } } }).response.headers.get('retry-after')),
    ).toBeGreaterThan(0);
    await poor.stop();
  });
});

describe('a planned fault', () => {
  it('answers the next matching request once', async () => {
    world.faults.push({
      action: 'resourceGroups/write',
      answer: { status: 429, code: 'TooManyRequests', message: 'Later.', headers: { 'retry-after': '7' } },
    });
    const { resources } = world.as(owner, 0);
    await resources.resourceGroups.get('rg-declared');
    await expect(resources.resourceGroups.createOrUpdate('rg-faults', { location })).rejects.toMatchObject({
      statusCode: 429,
    });
    expect((await resources.resourceGroups.createOrUpdate('rg-faults', { location })).name).toBe('rg-faults');
  });

  it('can let the operation of a request fail', async () => {
    world.faults.push({
      action: 'virtualNetworks/write',
      failOperation: { code: 'AllocationFailed', message: 'No room.' },
    });
    const { network } = world.as(owner);
    const body = { location, addressSpace: { addressPrefixes: ['10.0.0.0/16'] } };
    await expect(network.virtualNetworks.createOrUpdate('rg-declared', 'v', body, fast)).rejects.toThrow(
      /AllocationFailed. No room./,
    );
    expect((await network.virtualNetworks.get('rg-declared', 'v')).provisioningState).toBe('Failed');
    expect((await network.virtualNetworks.createOrUpdate('rg-declared', 'v', body, fast)).provisioningState).toBe(
      'Succeeded',
    );
  });
});

describe('resource groups', () => {
  it('are created, found, tagged and deleted with all that is in them', async () => {
    const { resources, network } = world.as(owner);
    expect((await resources.resourceGroups.checkExistence('rg-short')).body).toBe(false);
    await resources.resourceGroups.createOrUpdate('rg-short', { location, tags: { 'landfall:wave': 'w1' } });
    expect((await resources.resourceGroups.checkExistence('RG-SHORT')).body).toBe(true);
    const address = { location, addressSpace: { addressPrefixes: ['10.0.0.0/16'] } };
    await network.virtualNetworks.createOrUpdate(
      'rg-short',
      'tagged',
      { ...address, tags: { 'landfall:wave': 'w1' } },
      fast,
    );
    await network.virtualNetworks.createOrUpdate(
      'rg-short',
      'other',
      { ...address, tags: { 'landfall:wave': 'w2' } },
      fast,
    );
    const filter = "tagName eq 'landfall:wave' and tagValue eq 'w1'";
    const tagged = await all(resources.resources.listByResourceGroup('rg-short', { filter }));
    expect(tagged.map(({ name }) => name)).toEqual(['tagged']);
    const id = tagged[0]?.id ?? '';
    await resources.tagsOperations.updateAtScope(id, { operation: 'Merge', properties: { tags: { more: 'yes' } } });
    expect((await network.virtualNetworks.get('rg-short', 'tagged')).tags).toEqual({
      'landfall:wave': 'w1',
      more: 'yes',
    });
    await resources.resourceGroups.delete('rg-short', fast);
    await expect(resources.resources.getById(id, '2026-01-01')).rejects.toMatchObject({ statusCode: 404 });
    await expect(resources.resourceGroups.get('rg-short')).rejects.toMatchObject({ code: 'ResourceGroupNotFound' });
  });
});

describe('declared resources', () => {
  it('are there from the start, and a restart does not undo what was changed since', async () => {
    const { resources } = world.as(owner);
    expect((await resources.resources.getById(account, '2025-01-01')).properties).toMatchObject({
      primaryEndpoints: { blob },
    });
    await resources.tagsOperations.updateAtScope(account, {
      operation: 'Replace',
      properties: { tags: { kept: 'yes' } },
    });
    await world.restart();
    expect((await world.as(owner).resources.resources.getById(account, '2025-01-01')).tags).toEqual({ kept: 'yes' });
  });

  it('of a type that is not simulated can be read but not made', async () => {
    const { resources } = world.as(owner);
    expect((await resources.resources.getById(vault, '2025-01-01')).properties).toMatchObject({
      vaultUri: 'https://vault.test/',
    });
    await expect(resources.resources.createOrUpdateById(`${vault}2`, '2025-01-01', { location })).rejects.toMatchObject(
      { code: 'NotSimulated' },
    );
  });
});

describe('without a data directory', () => {
  it('everything is in memory and nothing is left behind', async () => {
    const temporary = mkdtempSync(join(tmpdir(), 'landfall-temporary-'));
    vi.stubEnv('TMPDIR', temporary);
    const passing = await startWorld({ dataDir: undefined });
    await passing.as(owner).resources.resourceGroups.createOrUpdate('rg', { location });
    await passing.restart();
    expect((await passing.as(owner).resources.resourceGroups.checkExistence('rg')).body).toBe(false);
    expect(readdirSync(temporary)).not.toEqual([]);
    await passing.stop();
    expect(readdirSync(temporary)).toEqual([]);
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  });
});
