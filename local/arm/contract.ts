// What the layers of local/arm say to each other: a request that has been authenticated, an answer, and what a provider
// tells about each of its resource types.
import type { Access } from './access/access.ts';
import type { DiskFiles } from './disks/files.ts';
import type { Target } from './ids.ts';
import type { Json } from './json.ts';
import type { Machines } from './machines/machines.ts';
import type { Operations } from './operations.ts';
import type { Resource, Store } from './store.ts';

/** Who is calling, from the verified token. */
export interface Caller {
  readonly oid: string;
  readonly appid?: string | undefined;
}

export interface ArmRequest {
  readonly method: string;
  readonly target: Target;
  readonly query: URLSearchParams;
  readonly apiVersion: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  readonly caller: Caller;
  /** The action that the caller was found to be allowed. */
  readonly action: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Synchronous, because everything that one request writes belongs into one transaction; what takes time is an operation. */
export type Handler = (request: ArmRequest) => Answer;

export interface ResourceType {
  readonly type: string;
  readonly put?: Handler;
  readonly get?: Handler;
  readonly head?: Handler;
  readonly patch?: Handler;
  readonly delete?: Handler;
  readonly list?: Handler;
  /** POST below the resource, by lower-case name. */
  readonly actions?: Readonly<Record<string, Handler>>;
  /** GET below the resource that is no resource of its own, by lower-case name. */
  readonly views?: Readonly<Record<string, Handler>>;
  /** How a stored resource is shown; the stored body by default. */
  readonly present?: (resource: Resource) => Json;
  /** Completes the body of a declared resource. */
  readonly normalize?: (id: string, body: Json) => Json;
  /** Ends what exists outside the store (a file, a process) before the resource goes. */
  readonly dispose?: (resource: Resource) => Promise<void>;
}

export interface SubscriptionQuota {
  readonly subscriptionId: string;
  readonly location: string;
  /** Limits by the name of their usage: `cores`, `virtualMachines`, or a family such as `standardDSv5Family`. */
  readonly quota: Readonly<Record<string, number>>;
  /** Machine sizes that the subscription may not use. */
  readonly restricted?: readonly string[] | undefined;
}

/** What the providers work with. */
export interface Kernel {
  readonly store: Store;
  readonly operations: Operations;
  readonly access: Access;
  readonly disks: DiskFiles;
  readonly machines: Machines;
  readonly subscriptions: readonly SubscriptionQuota[];
  readonly endpoint: () => string;
  readonly tenantId: string;
  /** Milliseconds until a new role assignment counts. */
  readonly propagation: number;
  readonly knownPrincipal: (oid: string) => boolean;
  /** Ends what the resource has outside the store. */
  readonly dispose: (resource: Resource) => Promise<void>;
}
