import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, location, owner, startWorld, type World } from './world.ts';

const group = 'rg-dns';
let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.as(owner).resources.resourceGroups.createOrUpdate(group, { location });
  await world.as(owner).dns.zones.createOrUpdate(group, 'example.test', { location: 'global' });
});
afterAll(() => world.stop());

describe('record sets', () => {
  it('are moved only by whoever has seen the last version', async () => {
    const { recordSets } = world.as(owner).dns;
    const point = (ipv4Address: string): object => ({ ttl: 30, aRecords: [{ ipv4Address }] });
    const first = await recordSets.createOrUpdate(group, 'example.test', 'www', 'A', point('10.0.0.1'), {
      ifNoneMatch: '*',
    });
    expect(first).toMatchObject({ fqdn: 'www.example.test.', ttl: 30, aRecords: [{ ipv4Address: '10.0.0.1' }] });
    await expect(
      recordSets.createOrUpdate(group, 'example.test', 'www', 'A', point('10.0.0.2'), { ifNoneMatch: '*' }),
    ).rejects.toMatchObject({ statusCode: 412 });
    const ifMatch = first.etag ?? '';
    const second = await recordSets.createOrUpdate(group, 'example.test', 'www', 'A', point('10.0.0.2'), { ifMatch });
    expect(second.etag).not.toBe(first.etag);
    await expect(
      recordSets.createOrUpdate(group, 'example.test', 'www', 'A', point('10.0.0.3'), { ifMatch }),
    ).rejects.toMatchObject({ statusCode: 412, code: 'PreconditionFailed' });
    expect((await recordSets.get(group, 'example.test', 'www', 'A')).aRecords).toEqual([{ ipv4Address: '10.0.0.2' }]);
  });

  it('hold several addresses, of both versions of IP, and nothing that is none', async () => {
    const { recordSets } = world.as(owner).dns;
    const aaaaRecords = [{ ipv6Address: '2001:db8::1' }, { ipv6Address: '2001:db8::2' }];
    await recordSets.createOrUpdate(group, 'example.test', 'six', 'AAAA', { ttl: 60, aaaaRecords });
    expect((await recordSets.get(group, 'example.test', 'six', 'AAAA')).aaaaRecords).toEqual(aaaaRecords);
    await expect(
      recordSets.createOrUpdate(group, 'example.test', 'six', 'AAAA', {
        ttl: 60,
        aaaaRecords: [{ ipv6Address: '10.0.0.1' }],
      }),
    ).rejects.toMatchObject({ statusCode: 400 });
    await expect(
      recordSets.createOrUpdate(group, 'example.test', 'six', 'CNAME', { ttl: 60, cnameRecord: { cname: 'x.test' } }),
    ).rejects.toMatchObject({ statusCode: 400 });
    await recordSets.delete(group, 'example.test', 'six', 'AAAA');
  });

  it('of the types are listed, and deleted once', async () => {
    const { recordSets, zones } = world.as(owner).dns;
    await recordSets.createOrUpdate(group, 'example.test', '@', 'TXT', { ttl: 60, txtRecords: [{ value: ['v=1'] }] });
    await recordSets.createOrUpdate(group, 'example.test', 'app', 'CNAME', {
      ttl: 60,
      cnameRecord: { cname: 'x.test' },
    });
    const names = (await all(recordSets.listByDnsZone(group, 'example.test'))).map(({ name }) => name);
    expect(names.sort()).toEqual(['@', 'app', 'www']);
    expect((await all(recordSets.listByType(group, 'example.test', 'TXT'))).map(({ name }) => name)).toEqual(['@']);
    expect((await zones.get(group, 'example.test')).numberOfRecordSets).toBe(3);
    await recordSets.delete(group, 'example.test', 'app', 'CNAME');
    await recordSets.delete(group, 'example.test', 'app', 'CNAME');
    await expect(recordSets.get(group, 'example.test', 'app', 'CNAME')).rejects.toMatchObject({ statusCode: 404 });
  });

  it('refuse a CNAME beside another record, and types that are not simulated', async () => {
    const { recordSets } = world.as(owner).dns;
    await expect(
      recordSets.createOrUpdate(group, 'example.test', 'www', 'CNAME', { ttl: 60, cnameRecord: { cname: 'x.test' } }),
    ).rejects.toMatchObject({ statusCode: 400 });
    await expect(recordSets.get(group, 'example.test', 'www', 'MX')).rejects.toMatchObject({ code: 'NotSimulated' });
  });
});
