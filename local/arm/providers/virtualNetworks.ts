// Virtual networks and their subnets. Subnets live inside the body of their network and are also resources of their own.
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest, notFound } from '../http/errors.ts';
import { keyOf, lastName, parentId, sameId } from '../ids.ts';
import { items, type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { contains, overlaps, parseCidr } from './cidr.ts';
import { deletable, existing, heading, readable, reference, requireGroup, tracked, withEtag } from './common.ts';
import { nicType, prefixOf, requireReference, subnetsOfNic } from './references.ts';

export const vnetType = 'Microsoft.Network/virtualNetworks';
const subnetType = 'Microsoft.Network/virtualNetworks/subnets';
const nsgJoin = 'Microsoft.Network/networkSecurityGroups/join/action';

const subnetProperties = z.looseObject({
  addressPrefix: z.string().optional(),
  addressPrefixes: z.array(z.string()).optional(),
  networkSecurityGroup: reference.nullish(),
});
const subnetBody = z.looseObject({ name: z.string().optional(), properties: subnetProperties });
const vnetBody = z.looseObject({
  ...tracked,
  properties: z.looseObject({
    addressSpace: z.looseObject({ addressPrefixes: z.array(z.string()).min(1) }),
    subnets: z.array(subnetBody).default([]),
  }),
});

export function virtualNetworks(kernel: Kernel): ResourceType[] {
  const { store, operations } = kernel;
  const inUse = (subnetId: string): string | undefined =>
    store.ofType(nicType).find((nic) => subnetsOfNic(nic).some((id) => sameId(id, subnetId)))?.id;
  const guardSubnet = (subnetId: string): void => {
    const user = inUse(subnetId);
    if (!user) return;
    throw badRequest(
      'InUseSubnetCannotBeDeleted',
      `Subnet ${lastName(subnetId)} is in use by ${user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet.`,
    );
  };
  const subnetsOf = (vnet: Resource): Json[] => items(part(vnet.body, 'properties'), 'subnets');
  const findSubnet = (id: string): Json => {
    const vnet = existing(kernel, parentId(id), vnetType);
    const found = subnetsOf(vnet).find((subnet) => sameId(text(subnet, 'id') ?? '', id));
    if (!found) throw notFound(`The Resource '${subnetType}/${lastName(id)}' was not found.`);
    return { ...found, etag: `W/"${vnet.etag}"` };
  };

  function check(request: ArmRequest | undefined, subnets: readonly Json[], space: readonly string[]): void {
    const taken = subnets.map((subnet) => ({ subnet, range: parseCidr(prefixOf(subnet)) }));
    for (const { subnet, range } of taken) {
      if (!space.some((prefix) => contains(parseCidr(prefix), range))) {
        throw badRequest(
          'NetcfgInvalidSubnet',
          `Subnet '${subnet.name}' is not valid because its IP address range is outside the IP address range of the virtual network.`,
        );
      }
      const other = taken.find((one) => one.subnet !== subnet && overlaps(one.range, range));
      if (other)
        throw badRequest(
          'NetcfgSubnetRangesOverlap',
          `Subnet '${subnet.name}' is not valid because its IP address range overlaps with that of '${other.subnet.name}'.`,
        );
      const nsg = text(part(subnet, 'properties').networkSecurityGroup, 'id');
      if (nsg && request) requireReference(kernel, request, nsg, nsgJoin);
    }
  }

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(vnetBody, request.body);
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    const whole = normalize(id, body);
    const subnets = items(whole.properties, 'subnets');
    check(request, subnets, body.properties.addressSpace.addressPrefixes);
    const kept = new Set(subnets.map((subnet) => keyOf(text(subnet, 'id') ?? '')));
    for (const subnet of before ? subnetsOf(before) : []) {
      const subnetId = text(subnet, 'id') ?? '';
      if (!kept.has(keyOf(subnetId))) guardSubnet(subnetId);
    }
    const properties = { ...part(whole, 'properties'), provisioningState: 'Updating' };
    const stored = store.put(id, vnetType, { ...heading(request, vnetType, body), properties });
    return operations.accept(
      request,
      'settle',
      id,
      {},
      { status: before ? 200 : 201, body: withEtag(stored), headers: 'azure-asyncoperation' },
    );
  };

  const putSubnet: Handler = (request) => {
    const vnet = existing(kernel, parentId(request.target.path), vnetType);
    const body = parse(subnetBody, request.body);
    const name = lastName(request.target.path);
    const others = subnetsOf(vnet).filter((subnet) => keyOf(text(subnet, 'name') ?? '') !== keyOf(name));
    const subnet = subnetOf(vnet.id, { ...body, name });
    const properties = part(vnet.body, 'properties');
    check(request, [...others, subnet], (part(properties, 'addressSpace').addressPrefixes ?? []) as string[]);
    const isNew = others.length === subnetsOf(vnet).length;
    store.change(vnet.id, { subnets: [...others, subnet] });
    const answer = { ...findSubnet(String(subnet.id)) };
    return operations.accept(
      request,
      'settle',
      vnet.id,
      {},
      { status: isNew ? 201 : 200, body: answer, headers: 'azure-asyncoperation' },
    );
  };

  operations.define('delete subnet', {
    run: async (_, target) => {
      guardSubnet(target);
      return () => {
        const vnet = store.get(parentId(target));
        if (vnet)
          store.change(vnet.id, { subnets: subnetsOf(vnet).filter((one) => !sameId(text(one, 'id') ?? '', target)) });
      };
    },
  });
  const deleteSubnet: Handler = (request) => {
    const id = request.target.path;
    const vnet = store.get(parentId(id));
    if (!vnet || !subnetsOf(vnet).some((one) => sameId(text(one, 'id') ?? '', id))) return { status: 204 };
    guardSubnet(id);
    return operations.accept(request, 'delete subnet', id, {}, { status: 202 });
  };

  return [
    {
      ...readable(kernel, vnetType, withEtag),
      put,
      normalize,
      delete: deletable(kernel, vnetType, (vnet) => {
        for (const subnet of subnetsOf(vnet)) guardSubnet(text(subnet, 'id') ?? '');
      }),
    },
    {
      type: subnetType,
      put: putSubnet,
      delete: deleteSubnet,
      get: ({ target }) => ({ status: 200, body: findSubnet(target.path) }),
      list: ({ target }) => {
        const vnet = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), vnetType);
        return { status: 200, body: { value: subnetsOf(vnet).map((subnet) => findSubnet(String(subnet.id))) } };
      },
    },
  ];
}

const subnetOf = (vnetId: string, subnet: Json): Json => ({
  ...subnet,
  id: `${vnetId}/subnets/${text(subnet, 'name') ?? ''}`,
  type: subnetType,
  properties: { ...part(subnet, 'properties'), provisioningState: 'Succeeded' },
});

function normalize(id: string, body: Json): Json {
  const properties = part(body, 'properties');
  const subnets = items(properties, 'subnets').map((subnet) => subnetOf(id, subnet));
  return { ...body, properties: { ...properties, subnets, provisioningState: 'Succeeded' } };
}
