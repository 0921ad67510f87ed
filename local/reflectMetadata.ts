// @peculiar/x509@2.2.0 reaches for `Reflect.getMetadata` through tsyringe@4 and refuses to load without it. The few
// calls that tsyringe makes are enough; import this file before @peculiar/x509, and nowhere else.
const store = new WeakMap<object, Map<unknown, unknown>>();

function getOwnMetadata(key: unknown, target: object): unknown {
  return store.get(target)?.get(key);
}

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const entries = store.get(target) ?? new Map<unknown, unknown>();
  store.set(target, entries.set(key, value));
}

function getMetadata(key: unknown, target: object): unknown {
  for (let holder: object | null = target; holder; holder = Object.getPrototypeOf(holder) as object | null) {
    if (store.get(holder)?.has(key)) return getOwnMetadata(key, holder);
  }
  return undefined;
}

if (!('getMetadata' in Reflect)) Object.assign(Reflect, { getMetadata, getOwnMetadata, defineMetadata });
