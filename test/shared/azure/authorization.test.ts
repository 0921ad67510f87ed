import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ownRoles } from '../../../shared/azure/ownRoles.ts';
import { missingFrom, roleDefinitionGuid, roleNeeds } from '../../../shared/azure/roles.ts';
import { movesRecords, otherGroup, poll, principals, startTarget, type TargetWorld } from './target.ts';

let world: TargetWorld;
beforeAll(async () => {
  world = await startTarget();
});
afterAll(() => world.stop());

describe('missing permissions', () => {
  const needs = { actions: ['A/b/read', 'A/b/write'], dataActions: ['D/x/read'] };
  it('are none when patterns cover them, whatever their case', () => {
    expect(missingFrom([{ actions: ['a/*'], dataActions: ['d/X/*'] }], needs)).toEqual([]);
  });
  it('are not covered by what the same role denies, but by another role', () => {
    expect(missingFrom([{ actions: ['*'], notActions: ['A/b/write'], dataActions: ['*'] }], needs)).toEqual([
      'A/b/write',
    ]);
    expect(
      missingFrom(
        [{ actions: ['*'], notActions: ['A/b/write'], dataActions: ['*'] }, { actions: ['A/b/write'] }],
        needs,
      ),
    ).toEqual([]);
  });
  it('keep actions and data actions apart', () => {
    expect(missingFrom([{ actions: ['*'] }], needs)).toEqual(['D/x/read']);
  });
});

describe('authorization', () => {
  it('finds everything missing at first, in every resource group that the environment names', async () => {
    const gaps = await world.azure.authorization.gaps(world.environment, []);
    expect(gaps.map(({ role, scope }) => [role, scope.split('/').at(-1)])).toEqual([
      ['replication', 'rg-target'],
      ['cutover', 'rg-target'],
      ['cutover', 'rg-images'],
    ]);
    expect(gaps[0]).toMatchObject({ roleName: 'Landfall Replication (north)', principalId: principals.replication });
    expect(gaps[1]?.missing).toEqual(roleNeeds.cutover.actions);
    expect(await world.azure.authorization.effective(world.environment, [])).toBe(false);
  });

  it('grants under names that are known before, says the same when repeated, and then finds nothing missing', async () => {
    const { authorization } = world.azure;
    const gaps = await authorization.gaps(world.environment, []);
    const made = await authorization.grant(world.environment, gaps, []);
    expect(made.map(({ kind }) => kind)).toEqual([
      'roleDefinition',
      'roleAssignment',
      'roleDefinition',
      'roleAssignment',
      'roleAssignment',
    ]);
    expect(made[0]?.id).toContain(roleDefinitionGuid(world.environment, 'replication'));
    expect(await world.anotherAzure().authorization.grant(world.environment, gaps, [])).toEqual(made);
    expect(await authorization.gaps(world.environment, [])).toEqual([]);
    await poll(() => authorization.effective(world.environment, []));
  });

  it('gives the cutover identity what actions need besides, once a plan has them, and the replication identity nothing of it', async () => {
    const { authorization } = world.azure;
    const besides = movesRecords;
    const gaps = await authorization.gaps(world.environment, besides);
    expect(gaps.map(({ role, missing }) => [role, missing])).toEqual([
      ['cutover', besides],
      ['cutover', besides],
    ]);
    await authorization.grant(world.environment, gaps, besides);
    expect(await authorization.gaps(world.environment, besides)).toEqual([]);
    await poll(() => authorization.effective(world.environment, besides));
  });

  it('revokes what it is told to, twice if need be, and nothing that somebody else made', async () => {
    const { authorization } = world.azure;
    const { environment } = world;
    const gaps = [
      { principalId: principals.cutover, role: 'cutover' as const, scope: otherGroup, roleName: '', missing: [] },
    ];
    const made = await authorization.grant(environment, gaps, []);
    const foreign = { kind: 'roleAssignment' as const, id: await planningAssignment() };
    await authorization.revoke(environment, [foreign]);
    expect(await planningAssignment()).toBe(foreign.id);

    const assignments = made.filter(({ kind }) => kind === 'roleAssignment');
    await authorization.revoke(environment, assignments);
    await authorization.revoke(environment, assignments);
    const left = await authorization.gaps(environment, []);
    expect(left.map(({ scope }) => scope)).toEqual([otherGroup]);

    await authorization.revoke(environment, ownRoles(environment));
    await authorization.revoke(environment, ownRoles(environment));
    expect(await authorization.gaps(environment, [])).toHaveLength(3);
  });
});

/** The planning identity's own assignment, which Landfall did not make. */
async function planningAssignment(): Promise<string> {
  const client = world.planningClient();
  for await (const { id, principalId } of client.roleAssignments.listForScope(otherGroup)) {
    if (principalId === principals.planning && id?.startsWith(otherGroup)) return id;
  }
  throw new Error('the planning identity has lost its assignment');
}
