// One reversible action of step 11, whole: what people write, what it takes, how it is done, looked at and put back. An
// action knows no store and no orchestration: who has it done, and when, is the step's to decide.
import type { z } from 'zod';
import type { DnsType } from '../azure/contract.ts';
import type { Capabilities } from '../capabilities.ts';
import type { Environment } from '../model/environment.ts';
import type { ResolvedSettings } from '../model/settings.ts';
import { type Estimate, noTime } from '../policy/fit/estimate.ts';

/** What actions may reach. */
export type Reach = Pick<Capabilities, 'azure' | 'webhooks'>;

/** For whom an action is done. */
export interface Place {
  waveId: string;
  workloadId: string;
  environment: Environment;
  /** The target's machine, by its name in the environment's resource group. */
  machine: string;
  ttl: ResolvedSettings['cutover']['ttl'];
  /** The same for every try of an action; where it is `remembered` for its undo as well. */
  operationId: string;
}

/** A record set that an action changes: clients keep its old answer for as long as it lives. */
export interface RecordName {
  zoneId: string;
  record: string;
  type: DnsType;
}

/** What was there, and what is there now, in words or as data: for the journal. */
export interface Difference {
  before: unknown;
  after: unknown;
}

type Written = z.ZodObject<{ kind: z.ZodLiteral<string>; name: z.ZodString }>;

interface Definition<S extends Written, B> {
  readonly schema: S;
  /** How long it takes, for predictions. */
  readonly time: Estimate;
  /** What the cutover identity must be allowed in a wave whose plan has this action, beyond what every wave needs. */
  needs?(action: z.infer<S>): readonly string[];
  /**
   * What it does leaves nothing that could be looked at: that it begins is written down first, with its operation id, and it
   * is put back only if it has begun.
   */
  readonly remembered?: true;
  /** Whether clients come to the target by it. Those run last: from the first of them on the way back costs. */
  movesTraffic?(action: z.infer<S>): boolean;
  /** The record set that it changes, and how many seconds that is to live `afterwards`, if not as long as before. */
  record?(action: z.infer<S>): RecordName & { afterwards: number | undefined };
  /** What stands against it in a plan, beside what its schema says. */
  against?(action: z.infer<S>, environment: Environment): { message: string; fix: string } | undefined;
  /** Throws what stands against it, while the target is not there yet and nothing has been changed. */
  precheck?(reach: Reach, place: Place, action: z.infer<S>): Promise<void>;
  /** Does it; doing what is done already changes nothing. */
  run(reach: Reach, place: Place, action: z.infer<S>): Promise<Difference>;
  /** Looks whether it stands: what is, and what it has set, in words that are equal if it does. */
  look(reach: Reach, place: Place, action: z.infer<S>): Promise<{ is: string; wanted: string }>;
  /** How it is put back. Absent: what it changes is part of the target and goes with it. */
  readonly undo?: Undo<z.infer<S>, B>;
}

interface Undo<A, B> {
  readonly before: z.ZodType<B>;
  readonly time: Estimate;
  /** Whether this one can be put back at all; it can, if absent. */
  when?(action: A): boolean;
  /** Reads what putting back will need. */
  capture(reach: Reach, place: Place, action: A): Promise<B>;
  /** Puts the before-state back; tolerates that nothing or only half was done. */
  run(reach: Reach, place: Place, action: A, before: B): Promise<Difference>;
  /** What is to be done by hand where that fails, as a request. */
  todo(action: A, before: B, place: Place): string;
}

/** An action as the step knows it: everything is checked at its border, so that one list holds them all. */
export interface Action<S extends Written = Written> {
  readonly schema: S;
  readonly time: Estimate;
  readonly undoTime: Estimate;
  readonly remembered: boolean;
  needs(action: unknown): readonly string[];
  movesTraffic(action: unknown): boolean;
  record(action: unknown): (RecordName & { afterwards: number | undefined }) | undefined;
  against(action: unknown, environment: Environment): { message: string; fix: string } | undefined;
  precheck(reach: Reach, place: Place, action: unknown): Promise<void>;
  /** The before-state and what undo would do in words; none where there is nothing to put back. */
  capture(reach: Reach, place: Place, action: unknown): Promise<{ before: unknown; todo: string } | undefined>;
  run(reach: Reach, place: Place, action: unknown): Promise<Difference>;
  look(reach: Reach, place: Place, action: unknown): Promise<{ is: string; wanted: string }>;
  undo(reach: Reach, place: Place, action: unknown, before: unknown): Promise<Difference | undefined>;
}

/**
 * Defines an action; the types within follow from its schemas. What it is assigned to names its type: settings are made of
 * the schemas of all actions, and what actions reach is made of settings.
 */
export function defineAction<S extends Written, B = never>(definition: Definition<S, B>): Action<S> {
  const { schema, time, undo } = definition;
  return {
    ...{ schema, time, undoTime: undo?.time ?? noTime, remembered: definition.remembered ?? false },
    needs: (action) => definition.needs?.(schema.parse(action)) ?? [],
    // Asked at every prediction, of plans that are parsed already.
    movesTraffic: (action) => definition.movesTraffic?.(action as z.infer<S>) ?? false,
    record: (action) => definition.record?.(schema.parse(action)),
    against: (action, environment) => definition.against?.(schema.parse(action), environment),
    async precheck(reach, place, action) {
      await definition.precheck?.(reach, place, schema.parse(action));
    },
    async capture(reach, place, action) {
      const parsed = schema.parse(action);
      if (undo === undefined || undo.when?.(parsed) === false) return undefined;
      const before = await undo.capture(reach, place, parsed);
      return { before, todo: undo.todo(parsed, before, place) };
    },
    run: (reach, place, action) => definition.run(reach, place, schema.parse(action)),
    look: (reach, place, action) => definition.look(reach, place, schema.parse(action)),
    async undo(reach, place, action, before) {
      return undo?.run(reach, place, schema.parse(action), undo.before.parse(before));
    },
  };
}
