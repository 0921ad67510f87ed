import type { DurableOrchestrationContext, Task } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  all,
  Ctx,
  drive,
  type Effect,
  type Flow,
  finish,
  firstOf,
  Interrupted,
  immediately,
} from '../../../shared/durable/flow.ts';
import { defineOrchestrator } from '../../../shared/durable/orchestrator.ts';
import type { ControlSignal } from '../../../shared/model/control.ts';

class FakeTask implements Task {
  isCompleted = false;
  isFaulted = false;
  result: unknown;
  complete(result?: unknown): void {
    this.isCompleted = true;
    this.result = result;
  }
  fail(error: Error): void {
    this.isFaulted = true;
    this.result = error;
  }
}

/** A Durable context whose tasks the test completes by hand. */
function orchestration<T>(flow: (ctx: Ctx) => Flow<T>, workloadId?: string) {
  const controls: FakeTask[] = [];
  const nextControl = (): FakeTask => {
    const control = new FakeTask();
    controls.push(control);
    return control;
  };
  const df = {
    instanceId: 'group-w.g-1',
    currentUtcDateTime: new Date(0),
    waitForExternalEvent: nextControl,
    Task: { any: (tasks: Task[]) => ({ tasks, isCompleted: false, isFaulted: false }), all: () => new FakeTask() },
  } as unknown as DurableOrchestrationContext;
  const ctx = new Ctx(df, undefined, { workloadId });
  const driven = drive(ctx, flow(ctx));
  let step = driven.next();
  const control = controls[0] ?? nextControl();
  return {
    ctx,
    control,
    nextControl: () => controls.at(-1) ?? control,
    resume() {
      step = driven.next();
      return step;
    },
    get result(): T | undefined {
      return step.done ? step.value : undefined;
    },
  };
}

const rollback: ControlSignal = { action: 'rollback', to: 'replicating', by: 'ada', reason: 'test' };

describe('flows side by side', () => {
  it('go on in the order in which their tasks finish, and answer in the order in which they were given', () => {
    const [a, b] = [new FakeTask(), new FakeTask()];
    const seen: string[] = [];
    function* lane(name: string, task: Task): Flow<string> {
      yield* finish(task);
      seen.push(name);
      return name;
    }
    const run = orchestration(() => all([lane('a', a), lane('b', b)]));
    b.complete();
    run.resume();
    a.complete();
    run.resume();
    expect(seen).toEqual(['b', 'a']);
    expect(run.result).toEqual(['a', 'b']);
  });

  it('a wait at a safe point may be for another flow: it looks again when that has ended', () => {
    const [work, timer] = [new FakeTask(), new FakeTask()];
    let over = false;
    const run = orchestration((ctx) => {
      function* main(): Flow<string> {
        yield* finish(work);
        over = true;
        return 'main';
      }
      function* companion(): Flow<string> {
        const first = yield* firstOf(ctx, [timer], () => over);
        return first === undefined ? 'told' : 'timer';
      }
      return all([companion(), main()]);
    });
    work.complete();
    run.resume();
    expect(run.result).toEqual(['told', 'main']);
  });

  it('all come to rest before the first failure is thrown', () => {
    const [bad, slow] = [new FakeTask(), new FakeTask()];
    let rested = false;
    function* waiting(): Flow<void> {
      yield* finish(slow);
      rested = true;
    }
    function* failing(): Flow<void> {
      yield* finish(bad);
    }
    const run = orchestration(() => all([failing(), waiting()]));
    bad.fail(new Error('broken'));
    run.resume();
    expect(rested).toBe(false);
    slow.complete();
    expect(() => run.resume()).toThrow('broken');
    expect(rested).toBe(true);
  });
});

describe('a control signal', () => {
  it('interrupts a wait at once', () => {
    const event = new FakeTask();
    const run = orchestration((ctx) => firstOf(ctx, [event]));
    run.control.complete(rollback);
    expect(() => run.resume()).toThrow(Interrupted);
  });

  it('lets an activity that has begun come to its end, and stops before the next wait', () => {
    const [activity, event] = [new FakeTask(), new FakeTask()];
    const done: string[] = [];
    const run = orchestration(function* (ctx): Flow<void> {
      yield* finish(activity);
      done.push('activity');
      yield* firstOf(ctx, [event]);
    });
    run.control.complete(rollback);
    run.resume();
    expect(done).toEqual([]);
    activity.complete();
    expect(() => run.resume()).toThrow(Interrupted);
    expect(done).toEqual(['activity']);
  });

  it('interrupts the lanes that wait, and only after the lanes that work have finished', () => {
    const [activity, event] = [new FakeTask(), new FakeTask()];
    const seen: string[] = [];
    function* works(): Flow<void> {
      yield* finish(activity);
      seen.push('worked');
    }
    function* waits(ctx: Ctx): Flow<void> {
      try {
        yield* firstOf(ctx, [event]);
      } catch (error) {
        seen.push('interrupted');
        throw error;
      }
    }
    const run = orchestration((ctx) => all([works(), waits(ctx)]));
    run.control.complete(rollback);
    run.resume();
    expect(seen).toEqual(['interrupted']);
    activity.complete();
    expect(() => run.resume()).toThrow(Interrupted);
    expect(seen).toEqual(['interrupted', 'worked']);
  });

  it('does not touch a shielded flow, and is not forgotten behind it', () => {
    const event = new FakeTask();
    const run = orchestration(function* (ctx): Flow<string> {
      yield* ctx.shielded(firstOf(ctx, [event]));
      ctx.safePoint();
      return 'never';
    });
    run.control.complete(rollback);
    run.resume();
    event.complete();
    expect(() => run.resume()).toThrow('rollback asked for by ada');
  });
});

describe('a control signal after traffic has moved', () => {
  function moved() {
    const event = new FakeTask();
    const run = orchestration((ctx) => {
      ctx.freeReturn = false;
      return firstOf(ctx, [event]);
    });
    return { event, run };
  }

  it('is not heeded unless it accepts the loss of data', () => {
    const { event, run } = moved();
    run.control.complete(rollback);
    expect(run.resume().done).toBe(false);
    event.complete();
    run.resume();
    expect(run.result).toBe(event);
  });

  it('interrupts when an approver accepted it, also after one that did not count', () => {
    const { run } = moved();
    run.control.complete(rollback);
    run.resume();
    run.nextControl().complete({ ...rollback, acceptDataLoss: true });
    expect(() => run.resume()).toThrow(Interrupted);
  });
});

describe('an order that is no interruption', () => {
  const stamp = (n: number) => ({ by: 'ada', reason: 'test', id: `control.${n}`, at: `2026-12-01T00:00:0${n}.000Z` });
  const defer: ControlSignal = { action: 'defer', workloadIds: ['db'], ...stamp(1) };

  it('wakes a wait that looks for it, and leaves the wait’s tasks for later', () => {
    const event = new FakeTask();
    const run = orchestration(function* (ctx): Flow<unknown> {
      const first = yield* firstOf(ctx, [event], () => ctx.orders.length > 0);
      return [first, yield* firstOf(ctx, [event])];
    });
    run.control.complete(defer);
    expect(run.resume().done).toBe(false);
    event.complete();
    run.resume();
    expect(run.result).toEqual([undefined, event]);
    expect(run.ctx.orders).toEqual([defer]);
  });

  it('is kept once, however often it is told, and others are still heard', () => {
    const run = orchestration((ctx) => firstOf(ctx, [new FakeTask()]));
    for (const order of [defer, defer, { action: 'revalidate', ...stamp(2) }]) {
      run.nextControl().complete(order);
      run.resume();
    }
    expect(run.ctx.orders.map(({ action }) => action)).toEqual(['defer', 'revalidate']);
    run.nextControl().complete(rollback);
    expect(() => run.resume()).toThrow(Interrupted);
  });

  it('of pause and resume the later one stands, in whatever order they arrive', () => {
    const pause: ControlSignal = { action: 'pause', deltas: 'goOn', ...stamp(1) };
    const resume: ControlSignal = { action: 'resume', ...stamp(2) };
    for (const arrived of [
      [pause, resume],
      [resume, pause],
      [resume, pause, resume, pause],
    ]) {
      const { ctx } = orchestration((ctx) => firstOf(ctx, [new FakeTask()]));
      for (const order of arrived) ctx.heed(order);
      expect(ctx.rest).toEqual(resume);
      const again: ControlSignal = { ...pause, ...stamp(3) };
      ctx.heed(again);
      expect(ctx.rest).toEqual(again);
    }
  });

  it('that names workloads is meant for their own instances: a rollback interrupts there and is only kept elsewhere', () => {
    const leave: ControlSignal = { ...rollback, workloadIds: ['db'], ...stamp(1) };
    const [db, web, group] = ['db', 'web', undefined].map(
      (workloadId) => orchestration((ctx) => firstOf(ctx, [new FakeTask()]), workloadId).ctx,
    );
    for (const ctx of [db, web, group]) {
      ctx?.heed(leave);
      ctx?.heed({ action: 'pause', deltas: 'goOn', workloadIds: ['db'], ...stamp(2) });
    }
    expect([db, web, group].map((ctx) => ctx?.interruption)).toEqual([leave, undefined, undefined]);
    expect([db, web, group].map((ctx) => ctx?.rest?.id)).toEqual(['control.2', undefined, undefined]);
    expect(group?.orders[0]).toEqual(leave);
  });
});

describe('an effect', () => {
  it('is read again from its task, so that a task that finished early is not waited for', () => {
    const early = new FakeTask();
    early.complete('here');
    const run = orchestration(() => finish(early) as Generator<Effect, unknown, void>);
    expect(run.result).toBe('here');
  });
});

describe('versions', () => {
  const at = (version?: string): Ctx => new Ctx({ version } as unknown as DurableOrchestrationContext, undefined, {});
  it('an instance takes the path of the version that it was started with', () => {
    expect(at('1.0').since('1.1')).toBe(false);
    expect(at('1.1').since('1.1')).toBe(true);
    expect(at().since('1.0')).toBe(false);
  });

  it('a child gets the version of its parent', () => {
    const named: unknown[] = [];
    const df = {
      version: '0.9',
      callSubOrchestrator: (...call: unknown[]) => {
        named.push(...call);
        return Object.assign(new FakeTask(), { isCompleted: true, result: 'done' });
      },
    } as unknown as DurableOrchestrationContext;
    const child = defineOrchestrator({
      name: 'child',
      input: z.null(),
      output: z.string(),
      run: () => immediately(''),
    });
    expect(child.call(new Ctx(df, undefined, {}), null, 'child-1').next().value).toBe('done');
    expect(named).toEqual(['child', null, 'child-1', '0.9']);
  });
});
