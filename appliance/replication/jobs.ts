// The appliance's syncs: one per workload at a time, durable from the moment that its command is acknowledged, resumed
// at the next start, ended by exactly one answer.
import type { CommandData } from '../../shared/protocol/commands.ts';
import type { Outbox } from '../bus/outbox.ts';
import { type Log, messageOf } from '../log.ts';
import { withRetry } from '../net/retry.ts';
import type { PlatformClient } from '../platform/client.ts';
import { Problem, Stopping } from '../problem.ts';
import type { Store } from '../state/store.ts';
import { Flight } from './flight.ts';
import { type Job, loadJobs, removeJob, saveJob, workloadOf } from './job.ts';
import { Ledger } from './ledger.ts';
import { Pacing } from './pacing.ts';
import { PageBlob } from './pageBlob.ts';
import { lastPoint, savePoint } from './point.ts';
import { Slots } from './slots.ts';
import { runSync, type SyncContext } from './syncRun.ts';

export interface SyncJobsOptions {
  store: Store;
  outbox: Outbox;
  platform: PlatformClient;
  log: Log;
  /** The clock that progress is told by, in milliseconds; the machine's where none is given. */
  now?: () => number;
}

interface Running {
  job: Job;
  abort: AbortController;
  ended: Promise<void>;
}

const blocksInMemory = 8;

export class SyncJobs {
  readonly #options: SyncJobsOptions;
  readonly #slots = new Slots(blocksInMemory);
  readonly #flight = new Flight();
  readonly #running = new Map<string, Running>();
  #tail: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: SyncJobsOptions) {
    this.#options = options;
  }

  /** Takes a sync over: when this resolves, it is durable and running. */
  start(operationId: string, command: CommandData<'landfall.sync.start'>): Promise<void> {
    const started = this.#tail.then(() => this.#start(operationId, command));
    this.#tail = started.catch(() => {});
    return started;
  }

  /** Ends a sync; what was copied stays in the staging blob. */
  cancel({ waveId, workloadId, syncId }: CommandData<'landfall.sync.cancel'>): void {
    const running = this.#running.get(`${waveId}/${workloadId}`);
    if (running?.job.command.syncId !== syncId) return;
    running.abort.abort(new Problem('cancelled', 'The sync was cancelled.', 'Start another one when it is wanted.'));
  }

  running(): string[] {
    return [...this.#running.values()].slice(0, 100).map(({ job }) => job.command.syncId);
  }

  /** Goes on with what the last process left. */
  resume(): void {
    for (const job of loadJobs(this.#options.store)) {
      if (this.#running.has(workloadOf(job))) continue;
      job.resumed = true;
      saveJob(this.#options.store, job);
      this.#options.log.info('a sync goes on', { syncId: job.command.syncId, operationId: job.operationId });
      this.#launch(job);
    }
  }

  /** Leaves every sync at a checkpoint. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const { abort } of this.#running.values()) abort.abort(new Stopping());
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #start(operationId: string, command: CommandData<'landfall.sync.start'>): Promise<void> {
    const { store, outbox, log } = this.#options;
    const job: Job = {
      operationId,
      command,
      startedAt: new Date().toISOString(),
      resumed: false,
      snapshots: {},
      changed: {},
      disks: {},
    };
    const workload = workloadOf(job);
    if (this.#isStopping) throw new Stopping('the appliance is stopping');
    const other = this.#running.get(workload);
    if (other?.job.operationId === operationId || store.get('SELECT id FROM job WHERE id = ?', operationId)) return;
    if (other) {
      // The platform runs one sync per workload: a new one means that it has given the old one up.
      const why = `The sync ${command.syncId} of the same workload took its place.`;
      other.abort.abort(new Problem('superseded', why, 'Look at the newer sync.'));
      await other.ended;
    }
    const { syncId, kind } = command;
    const last = lastPoint(store, workload, command);
    if (last) Object.assign(job, { since: last.sync, isTracked: last.isTracked });
    else if (kind !== 'initial')
      log.warn('the manifest of the last point is not ours or not here: everything is compared and written anew', {
        syncId,
        workload,
        previousRoot: command.previousRoot,
      });
    await outbox.emit(
      'landfall.sync.started',
      workload,
      { syncId, kind },
      {
        operationId,
        commit: () => {
          if (!last) Ledger.reset(store, workload);
          saveJob(store, job);
        },
      },
    );
    this.#launch(job);
  }

  #launch(job: Job): void {
    if (this.#isStopping) return;
    const abort = new AbortController();
    const ended = this.#run(job, abort.signal).finally(() => this.#running.delete(workloadOf(job)));
    this.#running.set(workloadOf(job), { job, abort, ended });
  }

  async #run(job: Job, signal: AbortSignal): Promise<void> {
    const { store, outbox, log } = this.#options;
    const { operationId, command } = job;
    const { syncId, kind } = command;
    const workload = workloadOf(job);
    try {
      const completed = await runSync(this.#contextOf(job), job, signal);
      await outbox.emit('landfall.sync.completed', workload, completed, {
        operationId,
        finishes: true,
        commit: () => {
          savePoint(store, workload, command, completed.root, job.tracks ?? false);
          removeJob(store, job);
        },
      });
      log.info('a sync has completed', { syncId, kind, operationId });
    } catch (caught) {
      const error: unknown = signal.aborted ? signal.reason : caught;
      if (error instanceof Stopping) return;
      const problem = error instanceof Problem ? error : undefined;
      const reason = {
        code: problem?.code ?? 'unexpected',
        message: messageOf(error).slice(0, 2000),
        suggestion: problem?.suggestion ?? 'Look at the appliance’s log, then retry.',
      };
      log.warn('a sync has failed', { syncId, kind, operationId, ...reason });
      const commit = (): void => removeJob(store, job);
      const data = { syncId, kind, ...reason };
      await outbox.emit('landfall.sync.failed', workload, data, { operationId, finishes: true, commit });
    }
  }

  #contextOf(job: Job): SyncContext {
    const { store, outbox, platform, log, now = Date.now } = this.#options;
    const { waveId, workloadId, syncId, kind, pace } = job.command;
    const line = { flight: this.#flight, ...(pace !== undefined && { line: new Pacing(pace) }) };
    return {
      store,
      log,
      memory: this.#slots.share(),
      now,
      onProgress(progress) {
        const data = { syncId, kind, ...progress };
        outbox
          .offer('landfall.sync.progress', workloadOf(job), data)
          .catch((error: unknown) => log.warn('progress could not be told', { error: messageOf(error) }));
      },
      targetOf({ diskId }) {
        const onRetry = (error: Error): void => log.warn('waiting', { syncId, diskId, error: messageOf(error) });
        const claims = { waveId, workloadId, diskId, syncId };
        return new PageBlob({
          ...line,
          patience: { onRetry },
          access: (signal) =>
            withRetry(() => platform.blobAccess(claims, signal), { signal, onRetry, forMs: 15 * 60_000 }),
        });
      },
    };
  }
}
