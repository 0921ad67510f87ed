// Network security groups and their rules. Rules live inside the body of their group and are also resources of their own.
import { z } from 'zod';
import type { Handler, Kernel, ResourceType } from '../contract.ts';
import { badRequest } from '../http/errors.ts';
import { keyOf, lastName, parentId, sameId } from '../ids.ts';
import { items, type Json, parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { deletable, existing, heading, missing, readable, requireGroup, tracked, withEtag } from './common.ts';
import { groupOfNic, nicType } from './references.ts';
import { vnetType } from './virtualNetworks.ts';

const nsgType = 'Microsoft.Network/networkSecurityGroups';
const ruleType = 'Microsoft.Network/networkSecurityGroups/securityRules';

const ruleBody = z.looseObject({
  name: z.string().optional(),
  properties: z.looseObject({
    protocol: z.string(),
    access: z.enum(['Allow', 'Deny']),
    direction: z.enum(['Inbound', 'Outbound']),
    priority: z.number().int().min(100).max(4096),
  }),
});
const nsgBody = z.looseObject({
  ...tracked,
  properties: z.looseObject({ securityRules: z.array(ruleBody).default([]) }).default({ securityRules: [] }),
});

export function securityGroups(kernel: Kernel): ResourceType[] {
  const { store, operations } = kernel;
  const rulesOf = (group: Resource): Json[] => items(part(group.body, 'properties'), 'securityRules');
  const guard = (group: Resource): void => {
    const nic = store.ofType(nicType).find((one) => sameId(groupOfNic(one) ?? '', group.id))?.id;
    const subnet = store
      .ofType(vnetType)
      .flatMap((vnet) => items(part(vnet.body, 'properties'), 'subnets'))
      .find((one) => sameId(text(part(one, 'properties').networkSecurityGroup, 'id') ?? '', group.id));
    const user = nic ?? text(subnet, 'id');
    if (!user) return;
    throw badRequest(
      'InUseNetworkSecurityGroupCannotBeDeleted',
      `Network security group ${group.id} cannot be deleted because it is in use by the following resources: ${user}.`,
    );
  };

  const put: Handler = (request) => {
    requireGroup(kernel, request.target.path);
    const body = parse(nsgBody, request.body);
    const before = store.get(request.target.path);
    const id = before?.id ?? request.target.path;
    const { properties } = normalize(id, body);
    checkPriorities(items(properties, 'securityRules'));
    const stored = store.put(id, nsgType, {
      ...heading(request, nsgType, body),
      properties: { ...(properties as Json), provisioningState: 'Updating' },
    });
    return operations.accept(
      request,
      'settle',
      id,
      {},
      { status: before ? 200 : 201, body: withEtag(stored), headers: 'azure-asyncoperation' },
    );
  };
  const find = (id: string): Json => {
    const group = existing(kernel, parentId(id), nsgType);
    const found = rulesOf(group).find((rule) => sameId(text(rule, 'id') ?? '', id));
    if (!found) throw missing(id, ruleType);
    return { ...found, etag: `W/"${group.etag}"` };
  };
  const putRule: Handler = (request) => {
    const group = existing(kernel, parentId(request.target.path), nsgType);
    const name = lastName(request.target.path);
    const rule = ruleOf(group.id, { ...parse(ruleBody, request.body), name });
    const others = rulesOf(group).filter((one) => keyOf(text(one, 'name') ?? '') !== keyOf(name));
    checkPriorities([...others, rule]);
    const isNew = others.length === rulesOf(group).length;
    store.change(group.id, { securityRules: [...others, rule] });
    return operations.accept(
      request,
      'settle',
      group.id,
      {},
      { status: isNew ? 201 : 200, body: find(String(rule.id)), headers: 'azure-asyncoperation' },
    );
  };
  operations.define('delete rule', {
    run: async (_, target) => () => {
      const group = store.get(parentId(target));
      if (group)
        store.change(group.id, {
          securityRules: rulesOf(group).filter((one) => !sameId(text(one, 'id') ?? '', target)),
        });
    },
  });
  const deleteRule: Handler = (request) => {
    const group = store.get(parentId(request.target.path));
    if (!group || !rulesOf(group).some((one) => sameId(text(one, 'id') ?? '', request.target.path)))
      return { status: 204 };
    return operations.accept(request, 'delete rule', request.target.path, {}, { status: 202 });
  };

  return [
    { ...readable(kernel, nsgType, withEtag), put, normalize, delete: deletable(kernel, nsgType, guard) },
    {
      type: ruleType,
      put: putRule,
      delete: deleteRule,
      get: ({ target }) => ({ status: 200, body: find(target.path) }),
      list: ({ target }) => {
        const group = existing(kernel, target.path.slice(0, target.path.lastIndexOf('/')), nsgType);
        return { status: 200, body: { value: rulesOf(group) } };
      },
    },
  ];
}

const ruleOf = (groupId: string, rule: Json): Json => ({
  ...rule,
  id: `${groupId}/securityRules/${text(rule, 'name') ?? ''}`,
  type: ruleType,
  properties: { ...part(rule, 'properties'), provisioningState: 'Succeeded' },
});

function checkPriorities(rules: readonly Json[]): void {
  const seen = new Map<string, unknown>();
  for (const rule of rules) {
    const { direction, priority } = part(rule, 'properties');
    const key = `${direction} ${priority}`;
    if (seen.has(key)) {
      throw badRequest(
        'SecurityRuleConflict',
        `Security rule ${rule.name} conflicts with rule ${seen.get(key)}. Rules cannot have the same Priority and Direction.`,
      );
    }
    seen.set(key, rule.name);
  }
}

/** The rules that every group has. https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview */
const defaultRules = (['Inbound', 'Outbound'] as const).flatMap((direction) => {
  const rule = (name: string, priority: number, access: string, from: string, to: string): Json => ({
    name,
    properties: {
      protocol: '*',
      sourcePortRange: '*',
      destinationPortRange: '*',
      sourceAddressPrefix: from,
      destinationAddressPrefix: to,
      access,
      priority,
      direction,
      provisioningState: 'Succeeded',
    },
  });
  const second =
    direction === 'Inbound'
      ? rule('AllowAzureLoadBalancerInBound', 65001, 'Allow', 'AzureLoadBalancer', '*')
      : rule('AllowInternetOutBound', 65001, 'Allow', '*', 'Internet');
  const suffix = direction === 'Inbound' ? 'InBound' : 'OutBound';
  return [
    rule(`AllowVnet${suffix}`, 65000, 'Allow', 'VirtualNetwork', 'VirtualNetwork'),
    second,
    rule(`DenyAll${suffix}`, 65500, 'Deny', '*', '*'),
  ];
});

function normalize(id: string, body: Json): Json {
  const properties = part(body, 'properties');
  const securityRules = items(properties, 'securityRules').map((rule) => ruleOf(id, rule));
  const defaultSecurityRules = defaultRules.map((rule) => ({
    ...rule,
    id: `${id}/defaultSecurityRules/${String(rule.name)}`,
  }));
  return {
    ...body,
    properties: { ...properties, securityRules, defaultSecurityRules, provisioningState: 'Succeeded' },
  };
}
