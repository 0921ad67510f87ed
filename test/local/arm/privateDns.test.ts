import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, fast, limited, location, owner, startWorld, type World } from './world.ts';

const group = 'rg-private-dns';
const zone = 'corp.test';
let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.as(owner).resources.resourceGroups.createOrUpdate(group, { location });
  await world.as(owner).privateDns.privateZones.createOrUpdate(group, zone, { location: 'global' }, fast);
});
afterAll(() => world.stop());

describe('a private zone', () => {
  it('is made by a long operation, counts its record sets, and is nowhere but global', async () => {
    const { privateZones, recordSets } = world.as(owner).privateDns;
    expect(await privateZones.get(group, zone)).toMatchObject({
      name: zone,
      type: 'Microsoft.Network/privateDnsZones',
      location: 'global',
      provisioningState: 'Succeeded',
      numberOfRecordSets: 0,
    });
    await expect(privateZones.createOrUpdate(group, 'other.test', { location }, fast)).rejects.toMatchObject({
      code: 'LocationNotAvailableForResourceType',
    });
    await recordSets.createOrUpdate(group, zone, 'A', 'one', { ttl: 60, aRecords: [{ ipv4Address: '10.0.0.1' }] });
    expect((await privateZones.get(group, zone)).numberOfRecordSets).toBe(1);
    expect((await all(privateZones.listByResourceGroup(group))).map(({ name }) => name)).toEqual([zone]);
    await recordSets.delete(group, zone, 'A', 'one');
  });

  it('goes with its record sets, and is gone the second time', async () => {
    const { privateZones, recordSets } = world.as(owner).privateDns;
    await privateZones.createOrUpdate(group, 'gone.test', { location: 'global' }, fast);
    await recordSets.createOrUpdate(group, 'gone.test', 'A', 'one', {
      ttl: 60,
      aRecords: [{ ipv4Address: '10.0.0.1' }],
    });
    await privateZones.delete(group, 'gone.test', fast);
    await privateZones.delete(group, 'gone.test', fast);
    await expect(recordSets.get(group, 'gone.test', 'A', 'one')).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('its record sets', () => {
  it('are moved only by whoever has seen the last version', async () => {
    const { recordSets } = world.as(owner).privateDns;
    const point = (ipv4Address: string) => ({ ttl: 30, aRecords: [{ ipv4Address }] });
    const first = await recordSets.createOrUpdate(group, zone, 'A', 'db', point('10.0.0.1'), { ifNoneMatch: '*' });
    expect(first).toMatchObject({ fqdn: 'db.corp.test.', ttl: 30, isAutoRegistered: false, type: expect.any(String) });
    await expect(
      recordSets.createOrUpdate(group, zone, 'A', 'db', point('10.0.0.2'), { ifNoneMatch: '*' }),
    ).rejects.toMatchObject({ statusCode: 412 });
    const ifMatch = first.etag ?? '';
    await recordSets.createOrUpdate(group, zone, 'A', 'db', point('10.0.0.2'), { ifMatch });
    await expect(
      recordSets.createOrUpdate(group, zone, 'A', 'db', point('10.0.0.3'), { ifMatch }),
    ).rejects.toMatchObject({ statusCode: 412, code: 'PreconditionFailed' });
    expect((await recordSets.get(group, zone, 'A', 'db')).aRecords).toEqual([{ ipv4Address: '10.0.0.2' }]);
  });

  it('of several types are listed; a CNAME stands alone, and what is spelt as in a public zone is not understood', async () => {
    const { recordSets } = world.as(owner).privateDns;
    const aaaaRecords = [{ ipv6Address: 'fd00::1' }, { ipv6Address: 'fd00::2' }];
    await recordSets.createOrUpdate(group, zone, 'AAAA', 'db', { ttl: 60, aaaaRecords });
    await recordSets.createOrUpdate(group, zone, 'CNAME', 'www', { ttl: 60, cnameRecord: { cname: 'db.corp.test' } });
    expect((await all(recordSets.list(group, zone))).map(({ name }) => name).sort()).toEqual(['db', 'db', 'www']);
    expect((await all(recordSets.listByType(group, zone, 'AAAA'))).map(({ name }) => name)).toEqual(['db']);
    await expect(
      recordSets.createOrUpdate(group, zone, 'A', 'www', { ttl: 60, aRecords: [{ ipv4Address: '10.0.0.1' }] }),
    ).rejects.toMatchObject({ statusCode: 400 });
    await expect(recordSets.createOrUpdate(group, zone, 'A', 'none', { ttl: 60 })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it('are nobody’s who has no role for them', async () => {
    const { recordSets } = world.as(limited).privateDns;
    await expect(recordSets.get(group, zone, 'A', 'db')).rejects.toMatchObject({ code: 'AuthorizationFailed' });
  });
});
