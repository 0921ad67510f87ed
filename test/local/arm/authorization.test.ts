import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { all, fast, limited, location, owner, scope, startWorld, stranger, type World } from './world.ts';

const group = 'rg-auth';
const groupScope = `${scope}/resourceGroups/${group}`;
const role = (name: string): string => `${scope}/providers/Microsoft.Authorization/roleDefinitions/${name}`;
const reader = role('acdd72a7-3385-48ef-bd42-f606fba81ae7');
const contributor = role('b24988ac-6180-42a0-ab88-20f7382dd24c');
const administrator = role('f58310d9-a9f6-439a-9e8d-f62e7b41a168');
const somebody = '00000000-0000-4000-8000-0000000000ff';
let world: World;

beforeAll(async () => {
  world = await startWorld({ knownPrincipal: (oid) => !oid.endsWith('dead') });
  await world.as(owner).resources.resourceGroups.createOrUpdate(group, { location });
});
afterAll(() => world.stop());

const assign = (principalId: string, roleDefinitionId: string, more: object = {}, as = owner) =>
  world
    .as(as)
    .authorization.roleAssignments.create(groupScope, randomUUID(), { principalId, roleDefinitionId, ...more });

describe('permissions', () => {
  it('are needed for every request, and what is missing is named as Azure names it', async () => {
    const { resources } = world.as(stranger);
    await expect(resources.resourceGroups.get(group)).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailed',
      message: expect.stringContaining(
        `object id '${stranger}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope`,
      ),
    });
  });

  it('of a new assignment count only after a while, and are gone with the assignment', async () => {
    const assignment = await assign(limited, reader);
    const { resources } = world.as(limited);
    await expect(resources.resourceGroups.get(group)).rejects.toMatchObject({ statusCode: 403 });
    await vi.waitFor(() => resources.resourceGroups.get(group), { timeout: 3000, interval: 20 });
    await expect(resources.resourceGroups.update(group, { tags: { a: 'b' } })).rejects.toMatchObject({
      message: expect.stringContaining('Microsoft.Resources/subscriptions/resourceGroups/write'),
    });
    await world.as(owner).authorization.roleAssignments.deleteById(assignment.id ?? '');
    await expect(resources.resourceGroups.get(group)).rejects.toMatchObject({ statusCode: 403 });
  });

  it('do not let a contributor hand on roles', async () => {
    const contributing = '00000000-0000-4000-8000-0000000000c0';
    await assign(contributing, contributor);
    const { resources } = world.as(contributing);
    await vi.waitFor(() => resources.resourceGroups.update(group, { tags: { a: 'b' } }), {
      timeout: 3000,
      interval: 20,
    });
    await expect(assign(somebody, reader, {}, contributing)).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringContaining('Microsoft.Authorization/roleAssignments/write'),
    });
  });

  it('of a custom role are its actions without its notActions, and a caller can list its own', async () => {
    const { authorization, network } = world.as(owner);
    const name = randomUUID();
    await authorization.roleDefinitions.createOrUpdate(groupScope, name, {
      roleName: 'Network without deletion',
      assignableScopes: [groupScope],
      permissions: [{ actions: ['Microsoft.Network/*'], notActions: ['Microsoft.Network/*/delete'] }],
    });
    const principal = '00000000-0000-4000-8000-0000000000d0';
    await assign(principal, role(name));
    await network.networkSecurityGroups.createOrUpdate(group, 'nsg', { location }, fast);
    const mine = world.as(principal);
    await vi.waitFor(() => mine.network.networkSecurityGroups.get(group, 'nsg'), { timeout: 3000, interval: 20 });
    await expect(mine.network.networkSecurityGroups.delete(group, 'nsg', fast)).rejects.toMatchObject({
      statusCode: 403,
    });
    expect(await all(mine.authorization.permissions.listForResourceGroup(group))).toEqual([
      expect.objectContaining({ actions: ['Microsoft.Network/*'], notActions: ['Microsoft.Network/*/delete'] }),
    ]);
    await expect(authorization.roleDefinitions.delete(groupScope, name)).rejects.toMatchObject({
      code: 'RoleDefinitionHasAssignments',
    });
  });

  it('include those on what a request only refers to', async () => {
    const { network, authorization } = world.as(owner);
    await network.virtualNetworks.createOrUpdate(
      group,
      'hub',
      {
        location,
        addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
        subnets: [{ name: 's', addressPrefix: '10.0.0.0/24' }],
      },
      fast,
    );
    const name = randomUUID();
    await authorization.roleDefinitions.createOrUpdate(groupScope, name, {
      roleName: 'Interfaces only',
      assignableScopes: [groupScope],
      permissions: [{ actions: ['Microsoft.Network/networkInterfaces/*'] }],
    });
    const principal = '00000000-0000-4000-8000-0000000000e0';
    await assign(principal, role(name));
    const mine = world.as(principal).network;
    await vi.waitFor(() => all(mine.networkInterfaces.list(group)), { timeout: 3000, interval: 20 });
    const subnet = { id: `${groupScope}/providers/Microsoft.Network/virtualNetworks/hub/subnets/s` };
    await expect(
      mine.networkInterfaces.createOrUpdate(
        group,
        'nic',
        { location, ipConfigurations: [{ name: 'ip', subnet }] },
        fast,
      ),
    ).rejects.toMatchObject({
      code: 'LinkedAuthorizationFailed',
      message: expect.stringContaining('Microsoft.Network/virtualNetworks/subnets/join/action'),
    });
  });
});

describe('role assignments', () => {
  it('exist once per principal, role and scope, and putting the same one again changes nothing', async () => {
    const { authorization } = world.as(owner);
    const name = randomUUID();
    const body = { principalId: somebody, roleDefinitionId: reader };
    const first = await authorization.roleAssignments.create(groupScope, name, body);
    expect((await authorization.roleAssignments.create(groupScope, name, body)).id).toBe(first.id);
    await expect(authorization.roleAssignments.create(groupScope, randomUUID(), body)).rejects.toMatchObject({
      statusCode: 409,
      code: 'RoleAssignmentExists',
    });
    const listed = await all(
      authorization.roleAssignments.listForScope(groupScope, { filter: `principalId eq '${somebody}'` }),
    );
    expect(listed.map((one) => one.name)).toEqual([name]);
    const above = await all(authorization.roleAssignments.listForScope(scope, { filter: 'atScope()' }));
    expect(above.map(({ principalId }) => principalId)).toEqual([owner]);
  });

  it('refuse a principal that the directory does not know', async () => {
    await expect(assign('00000000-0000-4000-8000-00000000dead', reader)).rejects.toMatchObject({
      statusCode: 400,
      code: 'PrincipalNotFound',
    });
  });

  it('can be limited by a condition to the roles that it lists', async () => {
    const planner = '00000000-0000-4000-8000-0000000000b0';
    const guid = reader.slice(reader.lastIndexOf('/') + 1);
    const clause = (verb: string, source: string): string =>
      `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${verb}'})) OR ` +
      `(@${source}[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${guid}}))`;
    const condition = `${clause('write', 'Request')}\n AND\n ${clause('delete', 'Resource')}`;
    await assign(planner, administrator, { condition, conditionVersion: '2.0' });
    const target = '00000000-0000-4000-8000-0000000000b1';
    const made = await vi.waitFor(() => assign(target, reader, {}, planner), { timeout: 3000, interval: 20 });
    await expect(assign(target, contributor, {}, planner)).rejects.toMatchObject({ statusCode: 403 });
    const forbidden = await assign(target, contributor);
    const { roleAssignments } = world.as(planner).authorization;
    await expect(roleAssignments.deleteById(forbidden.id ?? '')).rejects.toMatchObject({ statusCode: 403 });
    await roleAssignments.deleteById(made.id ?? '');
  });

  it('refuse any condition that would not be enforced', async () => {
    const condition = "@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name] StringEquals 'a'";
    await expect(assign(somebody, contributor, { condition, conditionVersion: '2.0' })).rejects.toMatchObject({
      statusCode: 400,
      code: 'RoleAssignmentConditionNotSimulated',
    });
  });
});
