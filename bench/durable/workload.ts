// The workload that every engine runs: 12 trivial activities one after another and 3 external events, one after the
// activities 4, 8 and 12. An event is sent only once the activity before it has run, so that no engine gets it early.
import { setImmediate as turn } from 'node:timers/promises';

export const steps = 12;
export const stepsPerEvent = 4;
/** The sum of all step numbers and of all events' payloads (an event carries its number), as every workflow returns. */
export const expectedOutput = 78 + 6;

export interface Engine {
  /** Starts one workflow; resolves with what it returned, after the engine has acknowledged its end. */
  run: (id: string) => Promise<unknown>;
  /** Sends the event of this number; resolves when the engine has acknowledged it. */
  send: (id: string, event: number) => Promise<void>;
  /** The engine's own process, if it has one. */
  serverPid?: number;
  stop: () => Promise<void>;
}

interface Trace {
  /** When each activity started. */
  started: Float64Array;
  /** When each event was sent. */
  sent: Float64Array;
}

/** What ran when, noted by the activities themselves; also the one that sends the events. */
export class Journal {
  readonly #traces = new Map<string, Trace>();
  #send: Engine['send'] = () => Promise.reject(new Error('An activity ran before the engine was ready.'));
  #failed: (reason: unknown) => void = () => {};
  dupSteps = 0;

  /** Forgets what ran before. */
  reset(): void {
    this.#traces.clear();
    this.dupSteps = 0;
  }

  /** The body of an activity; steps count from 1. */
  ran(id: string, step: number): number {
    let trace = this.#traces.get(id);
    if (!trace) {
      trace = { started: new Float64Array(steps), sent: new Float64Array(steps / stepsPerEvent) };
      this.#traces.set(id, trace);
    }
    if (trace.started[step - 1] !== 0) this.dupSteps++;
    else if (step % stepsPerEvent === 0) void this.#sendAfter(id, trace, step / stepsPerEvent);
    trace.started[step - 1] = performance.now();
    return step;
  }

  /** Runs the workflows, all at once or one after another, and checks what each returned. */
  async run(engine: Engine, ids: string[], atOnce: boolean): Promise<void> {
    this.#send = engine.send;
    const sendingFailed = new Promise<never>((_, reject) => {
      this.#failed = reject;
    });
    const one = async (id: string) => {
      const output = await engine.run(id);
      if (output !== expectedOutput) throw new Error(`Workflow ${id} returned ${JSON.stringify(output)}.`);
    };
    const all = async () => {
      if (atOnce) await Promise.all(ids.map(one));
      else for (const id of ids) await one(id);
    };
    await Promise.race([all(), sendingFailed]);
    const missing = ids.filter((id) => this.#traces.get(id)?.started.includes(0) !== false);
    if (missing.length > 0) throw new Error(`${missing.length} workflows ended without running all activities.`);
  }

  /** Milliseconds from the start of an activity to the start of the next, where no event lies between. */
  stepLatencies(): Float64Array {
    return this.#latencies(
      (step) => step % stepsPerEvent !== 0,
      ({ started }, step) => started[step - 1],
    );
  }

  /** Milliseconds from sending an event to the start of the activity after it; the last event has none. */
  eventLatencies(): Float64Array {
    return this.#latencies(
      (step) => step % stepsPerEvent === 0,
      ({ sent }, step) => sent[step / stepsPerEvent - 1],
    );
  }

  #latencies(counts: (step: number) => boolean, from: (trace: Trace, step: number) => number | undefined) {
    const latencies: number[] = [];
    for (const trace of this.#traces.values()) {
      for (let step = 1; step < steps; step++) {
        if (counts(step)) latencies.push((trace.started[step] ?? Number.NaN) - (from(trace, step) ?? Number.NaN));
      }
    }
    return Float64Array.from(latencies).sort();
  }

  async #sendAfter(id: string, trace: Trace, event: number): Promise<void> {
    await turn();
    trace.sent[event - 1] = performance.now();
    await this.#send(id, event).catch((error: unknown) => this.#failed(error));
  }
}

/** The process's journal: apps that an engine loads by itself reach it by importing it. */
export const journal = new Journal();
