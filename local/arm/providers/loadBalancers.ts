// Load balancers and their backend pools. Nothing is balanced here: rules and probes are stored, pools are kept strictly.
// A pool knows its members by network interfaces, which name the pool, or by addresses of its own; never by both.
// https://learn.microsoft.com/azure/load-balancer/backend-pool-management
// The codes of refusals are not recorded from Azure.
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest, notSimulated } from '../http/errors.ts';
import { keyOf, lastName, parentId, sameId } from '../ids.ts';
import { items, type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { contains, parseCidr } from './cidr.ts';
import {
  deletable,
  existing,
  heading,
  missing,
  readable,
  reference,
  requireGroup,
  tracked,
  withEtag,
} from './common.ts';
import { balancerType, heldAddresses, nicType, poolsOfConfiguration, requireReference } from './references.ts';

const poolType = `${balancerType}/backendAddressPools`;
const joinNetwork = 'Microsoft.Network/virtualNetworks/joinLoadBalancer/action';

const address = z.looseObject({
  name: z.string().min(1).optional(),
  properties: z.looseObject({
    ipAddress: z.ipv4().optional(),
    virtualNetwork: reference.optional(),
    subnet: reference.optional(),
    adminState: z.enum(['None', 'Up', 'Down']).optional(),
    networkInterfaceIPConfiguration: reference.optional(),
  }),
});
const poolBody = z.looseObject({
  name: z.string().optional(),
  properties: z
    .looseObject({ loadBalancerBackendAddresses: z.array(address).default([]) })
    .default({ loadBalancerBackendAddresses: [] }),
});
const balancerBody = z.looseObject({
  ...tracked,
  sku: z.looseObject({ name: z.string() }).optional(),
  properties: z
    .looseObject({
      frontendIPConfigurations: z
        .array(z.looseObject({ name: z.string(), properties: z.looseObject({}).default({}) }))
        .default([]),
      backendAddressPools: z.array(poolBody).default([]),
    })
    .default({ frontendIPConfigurations: [], backendAddressPools: [] }),
});
type Pool = z.output<typeof poolBody>;

export function loadBalancers(kernel: Kernel): ResourceType[] {
  const { store, operations } = kernel;
  const poolsOf = (balancer: Resource): Json[] => items(part(balancer.body, 'properties'), 'backendAddressPools');
  /** The configurations of interfaces that name a pool, by their ids. */
  const membersOf = (poolId: string): string[] =>
    store
      .ofType(nicType)
      .flatMap((nic) => items(part(nic.body, 'properties'), 'ipConfigurations'))
      .filter((one) => poolsOfConfiguration(one).some((id) => sameId(id, poolId)))
      .flatMap((one) => text(one, 'id') ?? []);

  /** A pool as it is shown: with its members, however it knows them. */
  const shown = (pool: Json): Json => {
    const members = membersOf(text(pool, 'id') ?? '');
    const properties = part(pool, 'properties');
    const known = members.map((id) => ({ name: keyOf(id), properties: { networkInterfaceIPConfiguration: { id } } }));
    return {
      ...pool,
      properties: {
        ...properties,
        loadBalancerBackendAddresses: [...heldAddresses(pool), ...known],
        ...(members.length > 0 && { backendIPConfigurations: members.map((id) => ({ id })) }),
      },
    };
  };
  const view = (balancer: Resource): Json => ({
    ...withEtag(balancer),
    properties: { ...part(balancer.body, 'properties'), backendAddressPools: poolsOf(balancer).map(shown) },
  });

  function poolOf(request: ArmRequest, balancerId: string, pool: Pool): Json {
    const name = pool.name ?? '';
    const id = `${balancerId}/backendAddressPools/${name}`;
    const held = pool.properties.loadBalancerBackendAddresses.filter(
      ({ properties }) => properties.networkInterfaceIPConfiguration === undefined,
    );
    if (held.length > 0 && membersOf(id).length > 0)
      throw badRequest(
        'BackendPoolCannotMixNicAndIp',
        `Backend pool ${id} has network interfaces as members and cannot hold IP addresses.`,
      );
    for (const [index, one] of held.entries()) check(request, id, one, held.slice(0, index));
    const properties = { ...pool.properties, loadBalancerBackendAddresses: held, provisioningState: 'Succeeded' };
    const { backendIPConfigurations: _, ...own } = properties as Json;
    return { name, id, type: poolType, properties: own };
  }

  function check(
    request: ArmRequest,
    poolId: string,
    { name, properties }: z.output<typeof address>,
    before: readonly z.output<typeof address>[],
  ): void {
    const { ipAddress, virtualNetwork, subnet } = properties;
    const refuse = (why: string) => badRequest('InvalidBackendAddress', `Address '${name}' of ${poolId} ${why}.`);
    if (name === undefined || ipAddress === undefined) throw refuse('needs a name and an ipAddress');
    if (before.some((one) => one.name === name || one.properties.ipAddress === ipAddress))
      throw refuse('is in the pool twice');
    const networkId = virtualNetwork?.id ?? (subnet && parentId(subnet.id));
    if (networkId === undefined) throw refuse('needs the virtualNetwork or subnet in which it is');
    requireReference(kernel, request, networkId, joinNetwork);
    const space = part(part(store.get(networkId)?.body, 'properties'), 'addressSpace').addressPrefixes as string[];
    if (!space.some((prefix) => contains(parseCidr(prefix), parseCidr(`${ipAddress}/32`))))
      throw refuse(`is outside of the address space of ${networkId}`);
  }

  const guard = (poolId: string): void => {
    const [member] = membersOf(poolId);
    if (member === undefined) return;
    throw badRequest(
      'InUseBackendAddressPoolCannotBeDeleted',
      `Backend pool ${poolId} is used by ${member} and cannot be deleted.`,
    );
  };

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(balancerBody, request.body);
    if (body.sku?.name !== 'Standard') throw notSimulated('Only load balancers of the SKU Standard are simulated.');
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    const frontendIPConfigurations = body.properties.frontendIPConfigurations.map((one) => {
      const subnet = text(part(one.properties, 'subnet'), 'id');
      if (subnet === undefined)
        throw notSimulated('Only frontends in a subnet are simulated: there are no public addresses.');
      requireReference(kernel, request, subnet, 'Microsoft.Network/virtualNetworks/subnets/join/action');
      return { ...one, id: `${id}/frontendIPConfigurations/${one.name}` };
    });
    const backendAddressPools = body.properties.backendAddressPools.map((pool) => poolOf(request, id, pool));
    const kept = new Set(backendAddressPools.map((pool) => keyOf(String(pool.id))));
    for (const pool of before ? poolsOf(before) : []) if (!kept.has(keyOf(String(pool.id)))) guard(String(pool.id));
    const stored = store.put(id, balancerType, {
      ...heading(request, balancerType, body),
      sku: { name: 'Standard', tier: 'Regional' },
      properties: {
        ...body.properties,
        frontendIPConfigurations,
        backendAddressPools,
        provisioningState: 'Updating',
      },
    });
    return settled(request, id, before === undefined, view(stored));
  };

  const findPool = (id: string): Json => {
    const balancer = existing(kernel, parentId(id), balancerType);
    const found = poolsOf(balancer).find((pool) => sameId(text(pool, 'id') ?? '', id));
    if (!found) throw missing(id, poolType);
    return { ...shown(found), etag: `W/"${balancer.etag}"` };
  };
  const putPool: Handler = (request) => {
    const balancer = existing(kernel, parentId(request.target.path), balancerType);
    const name = lastName(request.target.path);
    const pool = poolOf(request, balancer.id, { ...parse(poolBody, request.body), name });
    const pools = poolsOf(balancer);
    const place = pools.findIndex((one) => sameId(text(one, 'id') ?? '', String(pool.id)));
    const backendAddressPools = place < 0 ? [...pools, pool] : pools.with(place, pool);
    store.change(balancer.id, { backendAddressPools });
    return settled(request, balancer.id, place < 0, findPool(String(pool.id)));
  };
  const settled = (request: ArmRequest, id: string, isNew: boolean, body: Json) =>
    operations.accept(request, 'settle', id, {}, { status: isNew ? 201 : 200, body, headers: 'azure-asyncoperation' });

  return [
    {
      ...readable(kernel, balancerType, view),
      put,
      normalize: (id, body) => declared(id, body),
      delete: deletable(kernel, balancerType, (balancer) => {
        for (const pool of poolsOf(balancer)) guard(String(pool.id));
      }),
    },
    {
      type: poolType,
      put: putPool,
      get: ({ target }) => ({ status: 200, body: findPool(target.path) }),
      list: ({ target }) => {
        const balancer = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), balancerType);
        return { status: 200, body: { value: poolsOf(balancer).map(shown) } };
      },
    },
  ];
}

/** A declared balancer is taken as it stands; its pools get their ids. */
function declared(id: string, body: Json): Json {
  const properties = part(body, 'properties');
  const backendAddressPools = items(properties, 'backendAddressPools').map((pool) => ({
    ...pool,
    id: `${id}/backendAddressPools/${text(pool, 'name') ?? ''}`,
    type: poolType,
    properties: { ...part(pool, 'properties'), provisioningState: 'Succeeded' },
  }));
  return { ...body, properties: { ...properties, backendAddressPools } };
}
