// Follows the change feed of one container for one function: takes leases, reads their ranges with the unmodified
// @azure/cosmos 4.10.1, and moves a checkpoint after the handler is done with a batch, so a change may come twice and
// none is passed over unseen. A range changes hands between two batches: nobody serves it twice at once.
import { ChangeFeedStartFrom, type Container, type FeedRange } from '@azure/cosmos';
import { type HeldLease, LeaseLost, Leases, statusOf } from './cosmosLeases.ts';
import { shareOf } from './cosmosShare.ts';
import { Backoff, pause } from './pause.ts';

export interface FeedOptions {
  owner: string;
  prefix: string;
  monitored: Container;
  leaseContainer: Container;
  createLeaseContainerIfNotExists: boolean;
  /** Where a range without a checkpoint begins. */
  start: (range: FeedRange) => ChangeFeedStartFrom;
  feedPollDelay: number;
  maxItems: number;
  leaseAcquireInterval: number;
  leaseExpirationInterval: number;
  leaseRenewInterval: number;
  /** Answers `stopped` when the batch has to come again. */
  handle: (changes: unknown[], signal: AbortSignal) => Promise<'succeeded' | 'failed' | 'stopped'>;
  log: (level: 'warning' | 'debug', message: string) => void;
  signal: AbortSignal;
}

const notModified = 304;

/** Resolves when the signal has come and all leases are given back. */
export async function followFeed(options: FeedOptions): Promise<void> {
  const { owner, signal, leaseExpirationInterval: expiration } = options;
  const serving = new Map<string, Promise<void>>();
  const backoff = new Backoff();
  let feed: { leases: Leases; ranges: readonly FeedRange[] } | undefined;
  while (!signal.aborted) {
    try {
      feed ??= await openLeases(options);
      const { leases, ranges } = feed;
      const served = new Set(serving.keys());
      const { take, ask } = shareOf(await leases.list(), { owner, served, now: Date.now(), expiration });
      for (const free of take) {
        const lease = await leases.take(free);
        if (lease)
          serving.set(
            lease.id,
            serve(lease, ranges, options).finally(() => serving.delete(lease.id)),
          );
      }
      if (ask) await leases.ask(ask);
      backoff.reset();
      await pause(options.leaseAcquireInterval, signal);
    } catch (error) {
      if (signal.aborted) break;
      options.log('warning', explained(error, options));
      await backoff.wait(signal);
    }
  }
  await Promise.all(serving.values());
}

async function openLeases(options: FeedOptions): Promise<{ leases: Leases; ranges: readonly FeedRange[] }> {
  const { monitored, leaseContainer, prefix, owner } = options;
  if (options.createLeaseContainerIfNotExists)
    await leaseContainer.database.containers.createIfNotExists({ id: leaseContainer.id, partitionKey: '/id' });
  // The id of the resource, not its name: a container that was deleted and made again begins anew.
  const { resource } = await monitored.read();
  const leases = new Leases(leaseContainer, `${prefix}${resource?._rid}`, owner);
  const ranges = await monitored.getFeedRanges();
  if ((await leases.list()).length === 0) await leases.create(ranges);
  return { leases, ranges };
}

async function serve(lease: HeldLease, ranges: readonly FeedRange[], options: FeedOptions): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const renewed = keep(lease, options, signal).then(() => ended.abort());
  try {
    await read(lease, ranges, options, signal);
    await lease.release();
  } catch (error) {
    options.log('debug', `range ${lease.range.min}-${lease.range.max} is given up: ${messageOf(error)}`);
  }
  ended.abort();
  await renewed;
}

/** Renews until the signal comes, or until the lease is another's or so old that another may take it. */
async function keep(lease: HeldLease, options: FeedOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    await pause(options.leaseRenewInterval, signal);
    if (signal.aborted) return;
    try {
      await lease.renew();
    } catch (error) {
      const isExpired = lease.renewedAt + options.leaseExpirationInterval < Date.now();
      options.log('debug', `a lease is not renewed: ${messageOf(error)}`);
      if (error instanceof LeaseLost || isExpired) return;
    }
  }
}

async function read(
  lease: HeldLease,
  ranges: readonly FeedRange[],
  options: FeedOptions,
  signal: AbortSignal,
): Promise<void> {
  const backoff = new Backoff();
  let feed: ReturnType<typeof open> | undefined;
  while (!signal.aborted && !lease.isWanted) {
    try {
      feed ??= open(lease, ranges, options);
      const page = await feed.readNext();
      const changes: unknown[] = page.statusCode === notModified ? [] : page.result;
      if (changes.length > 0 && (await options.handle(changes, signal)) === 'stopped') return;
      // The first checkpoint is stored even without a change: it pins "from now on" across restarts.
      if (changes.length > 0 || lease.continuation === undefined) await lease.checkpoint(page.continuationToken);
      backoff.reset();
      if (changes.length === 0) await pause(options.feedPollDelay, signal);
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      if (signal.aborted) return;
      options.log('warning', explained(error, options));
      feed = undefined;
      await backoff.wait(signal);
    }
  }
}

function open(lease: HeldLease, ranges: readonly FeedRange[], { monitored, start, maxItems }: FeedOptions) {
  const { continuation, range } = lease;
  const untouched = ranges.find(
    ({ minInclusive, maxExclusive }) => minInclusive === range.min && maxExclusive === range.max,
  );
  if (continuation === undefined && !untouched)
    throw new Error(`The range ${range.min}-${range.max} was split before its first checkpoint. Delete its leases.`);
  const changeFeedStartFrom =
    continuation === undefined && untouched ? start(untouched) : ChangeFeedStartFrom.Continuation(continuation ?? '');
  return monitored.items.getChangeFeedIterator<unknown>({ changeFeedStartFrom, maxItemCount: maxItems });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function explained(error: unknown, { monitored, leaseContainer }: FeedOptions): string {
  if (statusOf(error) !== 404) return messageOf(error);
  return (
    `the container "${monitored.id}" or its lease container "${leaseContainer.id}" does not exist; ` +
    'both must, unless createLeaseContainerIfNotExists is true'
  );
}
