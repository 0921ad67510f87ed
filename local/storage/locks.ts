// One lock per blob. Page writes share it; whatever seals, replaces or removes a blob, or decides by its state, holds it
// alone. So no write that began before a snapshot can land after it in the layer that the snapshot has sealed.
type Mode = 'shared' | 'exclusive';

interface Gate {
  shared: number;
  exclusive: boolean;
  waiting: { mode: Mode; enter: () => void }[];
}

export class Locks {
  #gates = new Map<string, Gate>();

  /** Runs `work` under the lock of one key, in order of arrival. */
  async hold<T>(key: string, mode: Mode, work: () => Promise<T>): Promise<T> {
    const gate = this.#gates.get(key) ?? { shared: 0, exclusive: false, waiting: [] };
    this.#gates.set(key, gate);
    if (gate.waiting.length > 0 || !mayEnter(gate, mode)) {
      await new Promise<void>((resolve) => gate.waiting.push({ mode, enter: resolve }));
    } else {
      enter(gate, mode);
    }
    try {
      return await work();
    } finally {
      if (mode === 'shared') gate.shared--;
      else gate.exclusive = false;
      admit(gate);
      if (gate.shared === 0 && !gate.exclusive && gate.waiting.length === 0) this.#gates.delete(key);
    }
  }

  /** Runs `work` alone under several keys, always taken in the same order. */
  holdAll<T>(keys: string[], work: () => Promise<T>): Promise<T> {
    const sorted = [...new Set(keys)].sort().reverse();
    return sorted.reduce<() => Promise<T>>((inner, key) => () => this.hold(key, 'exclusive', inner), work)();
  }
}

function mayEnter(gate: Gate, mode: Mode): boolean {
  return !gate.exclusive && (mode === 'shared' || gate.shared === 0);
}

function enter(gate: Gate, mode: Mode): void {
  if (mode === 'shared') gate.shared++;
  else gate.exclusive = true;
}

function admit(gate: Gate): void {
  for (let next = gate.waiting[0]; next && mayEnter(gate, next.mode); next = gate.waiting[0]) {
    gate.waiting.shift();
    enter(gate, next.mode);
    next.enter();
  }
}
