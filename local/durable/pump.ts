// Looks at instances, a bounded number at once, without keeping the event loop from anybody else for long.
import { ReadyQueue } from './ready.ts';

export interface PumpOptions {
  /** How many instances are looked at at once. */
  most: number;
  /** Milliseconds after which the event loop gets its turn, and the pending commit with it. */
  slice: number;
  isWarm: (id: string) => boolean;
  episode: (id: string) => Promise<void>;
}

export class Pump {
  readonly #options: PumpOptions;
  readonly #ready: ReadyQueue;
  #running = 0;
  #pumping = false;
  #sliceStart = 0;
  #isOpen = false;
  #quiet: (() => void)[] = [];

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#ready = new ReadyQueue(options.isWarm);
  }

  start(): void {
    this.#isOpen = true;
    this.#soon();
  }

  stop(): void {
    this.#isOpen = false;
  }

  wake(id: string): void {
    if (this.#ready.add(id)) this.#soon();
  }

  /** Resolves when no instance is being looked at. */
  async ended(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#quiet.push(resolve));
  }

  #soon(): void {
    if (this.#pumping || !this.#isOpen) return;
    this.#pumping = true;
    const now = performance.now();
    if (this.#sliceStart === 0 && Number.isFinite(this.#options.slice)) {
      this.#sliceStart = now;
      setImmediate(() => {
        this.#sliceStart = 0;
      });
    }
    if (now - this.#sliceStart < this.#options.slice) queueMicrotask(() => this.#pump());
    else setImmediate(() => this.#pump());
  }

  #pump(): void {
    this.#pumping = false;
    const end = performance.now() + this.#options.slice;
    while (this.#running < this.#options.most && this.#isOpen) {
      const id = this.#ready.take();
      if (id === undefined) break;
      void this.#run(id);
      if (performance.now() > end) {
        this.#soon();
        break;
      }
    }
  }

  async #run(id: string): Promise<void> {
    this.#running++;
    await this.#options.episode(id);
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#quiet.splice(0)) resolve();
    if (this.#ready.size > 0) this.#soon();
  }
}
