// A command's way in: verified, parsed, run once. An operation that has ended answers with the event that it ended
// with; one that runs is not started again.
import { errors } from 'jose';
import { z } from 'zod';
import { Id } from '../../shared/model/ids.ts';
import { type Command, CommandEnvelope, parseCommand } from '../../shared/protocol/commands.ts';
import { verifyCommand } from '../../shared/protocol/signing.ts';
import type { Verdict } from '../bus/connection.ts';
import type { Outbox } from '../bus/outbox.ts';
import { type Log, messageOf } from '../log.ts';
import type { Identity } from '../platform/identity.ts';
import { Problem, Stopping } from '../problem.ts';

export interface ReceiverOptions {
  identity: Identity;
  outbox: Outbox;
  log: Log;
  /** Does what the command says and emits its answer; resolves when the answer, or the job, is durable. */
  execute(command: Command): Promise<void>;
}

const Workload = z.looseObject({ data: z.looseObject({ waveId: Id, workloadId: Id }) });

export class CommandReceiver {
  readonly #options: ReceiverOptions;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Handles one message's body and says how to settle it. */
  async receive(body: unknown): Promise<Verdict> {
    const { identity, outbox, log } = this.#options;
    if (typeof body !== 'string') return { settle: 'deadLetter', reason: 'a command is a signed text' };
    let payload: unknown;
    let isExpired = false;
    try {
      payload = await verifyCommand(body, identity.applianceId, identity.platformKey);
    } catch (error) {
      // The signature was verified before the expiry, so this is the platform's word, only an old one.
      isExpired = error instanceof errors.JWTExpired && error.claim === 'exp';
      if (!isExpired) {
        log.warn('a command was refused', { error: messageOf(error) });
        return { settle: 'deadLetter', reason: messageOf(error) };
      }
      payload = (error as errors.JWTExpired).payload;
    }
    const envelope = CommandEnvelope.safeParse(payload);
    if (!envelope.success) return { settle: 'deadLetter', reason: z.prettifyError(envelope.error) };
    const { operationId, type } = envelope.data;
    if (outbox.answered(operationId)) {
      log.info('a command came again; its answer is sent again', { operationId, type });
      return { settle: 'complete' };
    }
    const running = this.#running.get(operationId);
    if (running) {
      await running;
      return { settle: 'complete' };
    }
    const work = this.#run(payload, operationId, type, isExpired);
    this.#running.set(operationId, work);
    try {
      await work;
      return { settle: 'complete' };
    } finally {
      this.#running.delete(operationId);
    }
  }

  async #run(payload: unknown, operationId: string, type: string, isExpired: boolean): Promise<void> {
    const { log, execute } = this.#options;
    const parsed = parseCommand(payload);
    try {
      if (isExpired)
        throw new Problem('commandExpired', `The command ${type} arrived after its expiry.`, 'Send it again.');
      if ('problem' in parsed)
        throw new Problem('commandMalformed', parsed.problem, 'Appliance and platform may differ in their version.');
      log.info('command', { operationId, type });
      await execute(parsed.command);
    } catch (error) {
      // Unsettled, the command comes again to the next process.
      if (error instanceof Stopping) throw error;
      await this.#fail(payload, operationId, type, error);
    }
  }

  async #fail(payload: unknown, operationId: string, type: string, error: unknown): Promise<void> {
    const { identity, outbox, log } = this.#options;
    const problem = error instanceof Problem ? error : undefined;
    const reason = {
      code: problem?.code ?? 'unexpected',
      message: messageOf(error).slice(0, 2000),
      suggestion: problem?.suggestion ?? 'Look at the appliance’s log, then retry.',
    };
    log.warn('a command failed', { operationId, type, ...reason });
    const workload = Workload.safeParse(payload);
    const subject = workload.success ? subjectOf(workload.data.data) : identity.applianceId;
    await outbox.emit(
      'landfall.command.failed',
      subject,
      { command: type.slice(0, 60), ...reason },
      { operationId, finishes: true },
    );
  }
}

/** The subject of a workload's events. */
export function subjectOf({ waveId, workloadId }: { waveId: string; workloadId: string }): string {
  return `${waveId}/${workloadId}`;
}
