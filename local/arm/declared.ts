// What exists from the start. Only what is missing is inserted: a restart must not undo what was changed since.
import type { ResourceType, SubscriptionQuota } from './contract.ts';
import { groupId, lastName, parseTarget } from './ids.ts';
import type { Json } from './json.ts';
import { part } from './json.ts';
import { groupType } from './providers/resources.ts';
import type { Store } from './store.ts';

export interface DeclaredResource {
  readonly id: string;
  readonly apiVersion?: string | undefined;
  readonly body: Json;
}

/** Types that no provider makes but that are declared: their resources can be read and tagged. */
export const unknownTypes = (
  resources: readonly DeclaredResource[],
  types: ReadonlyMap<string, ResourceType>,
): string[] => resources.map(({ id }) => typeOf(id)).filter((type) => !types.has(type.toLowerCase()));

function typeOf(id: string): string {
  const { namespace, types } = parseTarget(id);
  return [namespace, ...types].join('/');
}

export function seedResources(
  store: Store,
  types: ReadonlyMap<string, ResourceType>,
  declared: { subscriptions: readonly SubscriptionQuota[]; resources?: readonly DeclaredResource[] },
): void {
  for (const { id, body } of declared.resources ?? []) {
    const target = parseTarget(id);
    const location = locationOf(declared.subscriptions, target.subscriptionId);
    const group = groupId(id);
    if (group && !store.get(group)) {
      const properties = { provisioningState: 'Succeeded' };
      store.put(group, groupType, {
        name: lastName(group),
        type: 'Microsoft.Resources/resourceGroups',
        location,
        properties,
      });
    }
    if (store.get(id)) continue;
    const known = types.get(typeOf(id).toLowerCase());
    const type = known?.type ?? typeOf(id);
    const isGroup = type === groupType;
    const whole = {
      name: lastName(id),
      type: isGroup ? 'Microsoft.Resources/resourceGroups' : type,
      location,
      ...body,
      properties: { ...part(body, 'properties'), provisioningState: 'Succeeded' },
    };
    store.put(id, type, known?.normalize?.(id, whole) ?? whole);
  }
}

const locationOf = (subscriptions: readonly SubscriptionQuota[], id: string): string =>
  subscriptions.find(({ subscriptionId }) => subscriptionId.toLowerCase() === id.toLowerCase())?.location ??
  'westeurope';
