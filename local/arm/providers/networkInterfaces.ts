// Network interfaces: a private address in each subnet, perhaps a security group, at most one machine.
import { z } from 'zod';
import type { ArmRequest, Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest } from '../http/errors.ts';
import { lastName, sameId } from '../ids.ts';
import { items, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { firstFree, formatAddress, parseAddress, parseCidr } from './cidr.ts';
import { deletable, heading, readable, reference, requireGroup, tracked, withEtag } from './common.ts';
import { effectiveGroups } from './effectiveGroups.ts';
import { heldAddresses, nicType, poolById, prefixOf, requireReference, subnetById } from './references.ts';

const configuration = z.looseObject({
  name: z.string().min(1),
  properties: z.looseObject({
    subnet: reference,
    privateIPAddress: z.string().optional(),
    privateIPAllocationMethod: z.enum(['Dynamic', 'Static']).optional(),
    primary: z.boolean().optional(),
    loadBalancerBackendAddressPools: z.array(reference).nullish(),
  }),
});
const nicBody = z.looseObject({
  ...tracked,
  properties: z.looseObject({
    ipConfigurations: z.array(configuration).min(1),
    networkSecurityGroup: reference.nullish(),
  }),
});

export function networkInterfaces(kernel: Kernel): ResourceType[] {
  const { store, operations } = kernel;

  /** Every address that other interfaces hold in the subnet. */
  function taken(subnetId: string, except: string): Set<number> {
    const configurations = store
      .ofType(nicType)
      .filter(({ id }) => !sameId(id, except))
      .flatMap((nic) => items(part(nic.body, 'properties'), 'ipConfigurations'))
      .filter((one) => sameId(text(part(one, 'properties').subnet, 'id') ?? '', subnetId));
    return new Set(configurations.map((one) => parseAddress(text(one.properties, 'privateIPAddress') ?? '') ?? 0));
  }

  function addressFor(nicId: string, wanted: z.output<typeof configuration>, before: Resource | undefined): string {
    const subnetId = wanted.properties.subnet.id;
    const range = parseCidr(prefixOf(subnetById(kernel, subnetId) ?? {}));
    const held = taken(subnetId, nicId);
    const kept = items(part(before?.body, 'properties'), 'ipConfigurations').find((one) => one.name === wanted.name);
    const sameSubnet = sameId(text(part(kept, 'properties').subnet, 'id') ?? '', subnetId);
    const isStatic = wanted.properties.privateIPAllocationMethod === 'Static';
    const asked = isStatic
      ? wanted.properties.privateIPAddress
      : sameSubnet
        ? text(part(kept, 'properties'), 'privateIPAddress')
        : undefined;
    if (asked !== undefined) {
      const address = parseAddress(asked);
      if (address === undefined || address < range.first || address > range.last) {
        throw badRequest(
          'PrivateIPAddressNotInSubnet',
          `Private static IP address ${asked} does not belong to the range of subnet prefix ${prefixOf(subnetById(kernel, subnetId) ?? {})}.`,
        );
      }
      if (address < range.first + 4 || address === range.last) {
        throw badRequest(
          'PrivateIPAddressInReservedRange',
          `Private IP address ${asked} falls within the range of IP addresses reserved by Azure.`,
        );
      }
      if (held.has(address)) {
        throw badRequest(
          'PrivateIPAddressInUse',
          `IP configuration ${nicId}/ipConfigurations/${wanted.name} is using the private IP address ${asked} which is already allocated.`,
        );
      }
      return asked;
    }
    const free = firstFree(range, held);
    if (free === undefined)
      throw badRequest(
        'SubnetIsFull',
        `Subnet ${lastName(subnetId)} does not have enough capacity for 1 IP addresses.`,
      );
    return formatAddress(free);
  }

  /** A pool that holds addresses itself takes no interfaces. */
  function joinPool(request: ArmRequest, poolId: string): void {
    requireReference(kernel, request, poolId, 'Microsoft.Network/loadBalancers/backendAddressPools/join/action');
    if (heldAddresses(poolById(kernel, poolId)).length > 0)
      throw badRequest(
        'BackendPoolCannotMixNicAndIp',
        `Backend pool ${poolId} holds IP addresses and cannot have network interfaces as members.`,
      );
  }

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(nicBody, request.body);
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    for (const one of body.properties.ipConfigurations) {
      requireReference(
        kernel,
        request,
        one.properties.subnet.id,
        'Microsoft.Network/virtualNetworks/subnets/join/action',
      );
    }
    const pools = body.properties.ipConfigurations.map(
      ({ properties }) => properties.loadBalancerBackendAddressPools ?? [],
    );
    for (const { id: poolId } of pools.flat()) joinPool(request, poolId);
    const nsg = body.properties.networkSecurityGroup;
    if (nsg) requireReference(kernel, request, nsg.id, 'Microsoft.Network/networkSecurityGroups/join/action');
    const ipConfigurations = body.properties.ipConfigurations.map((one, index) => ({
      ...one,
      id: `${id}/ipConfigurations/${one.name}`,
      type: `${nicType}/ipConfigurations`,
      properties: {
        privateIPAllocationMethod: 'Dynamic',
        primary: index === 0,
        ...one.properties,
        // None is told as nothing at all.
        loadBalancerBackendAddressPools: pools[index]?.length
          ? pools[index].map((pool) => ({ id: pool.id }))
          : undefined,
        privateIPAddress: addressFor(id, one, before),
        privateIPAddressVersion: 'IPv4',
        provisioningState: 'Succeeded',
      },
    }));
    const { networkSecurityGroup: _, virtualMachine: __, ...rest } = body.properties;
    const properties = {
      ...rest,
      ipConfigurations,
      ...(nsg && { networkSecurityGroup: { id: nsg.id } }),
      ...(before && part(before.body, 'properties').virtualMachine
        ? { virtualMachine: part(before.body, 'properties').virtualMachine }
        : {}),
      nicType: 'Standard',
      provisioningState: 'Updating',
    };
    const stored = store.put(id, nicType, { ...heading(request, nicType, body), properties });
    return operations.accept(
      request,
      'settle',
      id,
      {},
      { status: before ? 200 : 201, body: withEtag(stored), headers: 'azure-asyncoperation' },
    );
  };

  const guard = (nic: Resource): void => {
    const machine = text(part(nic.body, 'properties').virtualMachine, 'id');
    if (!machine) return;
    throw badRequest(
      'NicInUse',
      `Network Interface ${nic.id} is used by existing resource ${machine}. In order to delete the network interface, it must be dissociated from the resource.`,
    );
  };

  return [
    {
      ...readable(kernel, nicType, withEtag),
      put,
      delete: deletable(kernel, nicType, guard),
      actions: { effectivenetworksecuritygroups: effectiveGroups(kernel) },
    },
  ];
}
