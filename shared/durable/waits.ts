import type { z } from 'zod';
import { terminal } from '../errors.ts';
import { type Ctx, type Flow, finish, firstOf } from './flow.ts';

/** A length of time in code. */
export interface Span {
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
}

/** A span in milliseconds. */
function spanMs({ days = 0, hours = 0, minutes = 0, seconds = 0 }: Span): number {
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

/** Waits until an instant (ISO 8601), or until an order makes `stop` true; a safe point. */
export function* sleepUntil(ctx: Ctx, instant: string, stop = () => false): Flow<void> {
  if (instant <= ctx.now()) return ctx.safePoint();
  const timer = ctx.df.createTimer(new Date(instant));
  try {
    yield* firstOf(ctx, [timer], stop);
  } finally {
    if (!timer.isCompleted) timer.cancel();
  }
}

/** Waits for a span of time; a safe point. */
export function* sleep(ctx: Ctx, span: Span): Flow<void> {
  yield* sleepUntil(ctx, new Date(Date.parse(ctx.now()) + spanMs(span)).toISOString());
}

/** Waits for a span of time without being a safe point: between two tries of something begun. */
export function* backOff(ctx: Ctx, milliseconds: number): Flow<void> {
  yield* alarm(ctx, new Date(Date.parse(ctx.now()) + milliseconds).toISOString());
}

/** Waits until an instant (ISO 8601) without being a safe point; gives its timer up when it is not waited for any more. */
export function* alarm(ctx: Ctx, instant: string): Flow<void> {
  const timer = ctx.df.createTimer(new Date(instant));
  try {
    yield* finish(timer);
  } finally {
    if (!timer.isCompleted) timer.cancel();
  }
}

/**
 * An external event that comes more than once under one name. Each wait is a safe point and returns whether it came,
 * or false when an order makes `stop` true. One wait stands at a time: of two, the older one would lose its event.
 */
export function listenAgain(ctx: Ctx, name: string): (stop?: () => boolean) => Flow<boolean> {
  let event: ReturnType<typeof ctx.df.waitForExternalEvent> | undefined;
  return function* (stop = () => false) {
    event ??= ctx.df.waitForExternalEvent(name);
    const heard = yield* firstOf(ctx, [event], stop);
    if (heard !== undefined) event = undefined;
    return heard !== undefined;
  };
}

/**
 * Waits for an external event and parses it; a safe point. Returns `undefined` when `until` (ISO 8601) passes first.
 * Early events are kept by the runtime, so an event that arrives before its wait is not lost.
 */
export function waitUntil<T>(ctx: Ctx, name: string, schema: z.ZodType<T>, until: undefined): Flow<T>;
export function waitUntil<T>(
  ctx: Ctx,
  name: string,
  schema: z.ZodType<T>,
  until: string | undefined,
): Flow<T | undefined>;
export function* waitUntil<T>(
  ctx: Ctx,
  name: string,
  schema: z.ZodType<T>,
  until: string | undefined,
): Flow<T | undefined> {
  const event = ctx.df.waitForExternalEvent(name);
  if (until === undefined) {
    yield* firstOf(ctx, [event]);
    return schema.parse(event.result);
  }
  const timer = ctx.df.createTimer(new Date(until));
  try {
    const first = yield* firstOf(ctx, [event, timer]);
    return first === event ? schema.parse(event.result) : undefined;
  } finally {
    if (!timer.isCompleted) timer.cancel();
  }
}

/**
 * An external event that may be waited for in turns. Each wait is a safe point and returns the event's data, or
 * `undefined` when an order makes `stop` true or `until` (ISO 8601) passes; the next wait goes on where it ended.
 */
export function listenFor<T>(
  ctx: Ctx,
  name: string,
  schema: z.ZodType<T>,
): (stop?: () => boolean, until?: string) => Flow<T | undefined> {
  const event = ctx.df.waitForExternalEvent(name);
  return function* (stop = () => false, until) {
    const timers = until === undefined ? [] : [ctx.df.createTimer(new Date(until))];
    try {
      const first = yield* firstOf(ctx, [event, ...timers], stop);
      return first === event ? schema.parse(event.result) : undefined;
    } finally {
      for (const timer of timers) if (!timer.isCompleted) timer.cancel();
    }
  };
}

/** Like `waitUntil` within a span, but silence is a failure: `what` completes "Waited 20 minutes for …". */
export function* waitFor<T>(
  ctx: Ctx,
  name: string,
  schema: z.ZodType<T>,
  within: Span,
  what: string,
  suggestion: string,
): Flow<T> {
  const until = new Date(Date.parse(ctx.now()) + spanMs(within)).toISOString();
  const result = yield* waitUntil(ctx, name, schema, until);
  if (result !== undefined) return result;
  throw terminal('timeout', `Waited ${inWords(within)} for ${what}, and it did not come.`, suggestion);
}

function inWords(span: Span): string {
  return Object.entries(span)
    .map(([unit, amount]) => `${amount} ${unit}`)
    .join(' ');
}
