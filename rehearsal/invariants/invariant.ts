// What an invariant is: it watches a world and says what breaks it, at every transition. It asserts nothing and changes nothing.
import type { WorkloadPlan } from '../../shared/model/plan.ts';
import type { Command } from '../../shared/protocol/commands.ts';
import type { ModelledAppliances } from '../world/appliances.ts';
import type { ModelledAzure } from '../world/azure.ts';
import type { Change } from '../world/change.ts';
import type { ModelledHosts } from '../world/hosts.ts';
import type { Mirror, Written } from '../world/mirror.ts';

/** The world as an invariant sees it. */
export interface Sight {
  readonly azure: ModelledAzure;
  readonly hosts: ModelledHosts;
  readonly appliances: ModelledAppliances;
  /** The newest version of every document. */
  readonly documents: Mirror;
  now(): string;
  /** The plans that concern a thing: by source id, by target name, by staging blob; of the waves that were started last, last. */
  plansOf(kind: Change['kind'], id: string): readonly WorkloadPlan[];
}

/** Orders and answers that lead back: no other one decides that something goes. */
export const leadsBack: ReadonlySet<string> = new Set(['rollback', 'cancel']);

/** What just happened. The operation is the activity's that did it, if an activity did. */
export interface Watcher {
  changed?(change: Change, operationId: string | undefined): string[];
  written?(document: Written): string[];
  sent?(command: Command): string[];
}

export interface Invariant {
  /** Of architecture.md; 0 for what the model of the world itself refuses. */
  readonly number: number;
  readonly says: string;
  watch(sight: Sight): Watcher;
}

export interface Finding {
  invariant: string;
  what: string;
  /** The moment, ISO 8601 in UTC, and how many transitions came before. */
  at: string;
  transition: number;
}
