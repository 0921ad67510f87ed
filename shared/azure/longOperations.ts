// Long-running operations in two halves: `begin` sends the request and keeps the poller's state, `advance` asks once.
// The state holds absolute URLs and survives a restart (@azure/core-lro@3.3.1 serialises it). Pollers are thenables:
// none may leave an async function, or the caller would wait for the whole operation.
import { type ComputeManagementClient, restorePoller as restoreCompute } from '@azure/arm-compute';
import { type NetworkManagementClient, restorePoller as restoreNetwork } from '@azure/arm-network';
import { z } from 'zod';
import { MigrationError, terminal, toMigrationError, transient } from '../errors.ts';
import type { Environment } from '../model/environment.ts';
import { armScope, type Clients } from './clients.ts';
import type { LongOperation, Progress } from './contract.ts';

/** What both halves need of a poller of @azure/core-lro. */
interface Poller {
  serialize(): Promise<string>;
  poll(): Promise<unknown>;
  readonly isDone: boolean;
  readonly operationState: { status: string } | undefined;
}

/** Sends the request behind `start` and waits for its first answer only. */
export async function begin(kind: LongOperation['kind'], name: string, start: () => Poller): Promise<Progress> {
  try {
    const poller = start();
    const state = await poller.serialize();
    if (poller.isDone) return { done: true };
    return { done: false, operation: { kind, name, state } };
  } catch (error) {
    throw refusalOf(error, `starting ${describe(kind, name)}`);
  }
}

/** Asks once how far an operation is; throws a classified error when it failed. */
export async function advance(clients: Clients, environment: Environment, operation: LongOperation): Promise<Progress> {
  const { kind, name, state } = operation;
  const poller = restore(clients, environment.subscriptionId, kind, state);
  try {
    await poller.poll();
  } catch (error) {
    if (poller.operationState?.status === 'failed' || poller.operationState?.status === 'canceled') {
      throw await failureOf(clients, operation, error);
    }
    throw toMigrationError(error, `waiting for ${describe(kind, name)}`);
  }
  if (poller.isDone) return { done: true };
  return { done: false, operation: { kind, name, state: await poller.serialize() } };
}

/** Waits for a quick operation inside one activity. */
export async function finish<T>(doing: string, start: () => PromiseLike<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw classify(readFailure(error), doing) ?? refusalOf(error, doing);
  }
}

function restore(clients: Clients, subscriptionId: string, kind: LongOperation['kind'], state: string): Poller {
  const compute: ComputeManagementClient = clients.compute(subscriptionId);
  const network: NetworkManagementClient = clients.network(subscriptionId);
  switch (kind) {
    case 'createVirtualMachine':
      return restoreCompute(compute, state, compute.virtualMachines.createOrUpdate);
    case 'deleteVirtualMachine':
      return restoreCompute(compute, state, compute.virtualMachines.delete);
    case 'startVirtualMachine':
      return restoreCompute(compute, state, compute.virtualMachines.start);
    case 'stopVirtualMachine':
      return restoreCompute(compute, state, compute.virtualMachines.deallocate);
    case 'createDisk':
      return restoreCompute(compute, state, compute.disks.createOrUpdate);
    case 'deleteDisk':
      return restoreCompute(compute, state, compute.disks.delete);
    case 'createNic':
      return restoreNetwork(network, state, network.networkInterfaces.createOrUpdate);
    case 'deleteNic':
      return restoreNetwork(network, state, network.networkInterfaces.delete);
    case 'createNetworkSecurityGroup':
      return restoreNetwork(network, state, network.networkSecurityGroups.createOrUpdate);
    case 'deleteNetworkSecurityGroup':
      return restoreNetwork(network, state, network.networkSecurityGroups.delete);
  }
}

const PollerState = z.looseObject({
  state: z.looseObject({ config: z.looseObject({ operationLocation: z.url().optional() }) }),
});
const OperationStatus = z.looseObject({
  error: z.looseObject({ code: z.string(), message: z.string().default('') }),
});
type Refusal = z.infer<typeof OperationStatus>['error'];

/** The poller's own error has no code, so the code is read from the operation itself. */
async function failureOf(clients: Clients, operation: LongOperation, error: unknown): Promise<MigrationError> {
  const doing = describe(operation.kind, operation.name);
  const location = PollerState.safeParse(JSON.parse(operation.state)).data?.state.config.operationLocation;
  const refusal = (await readOperation(clients, location).catch(() => undefined)) ?? readFailure(error);
  return classify(refusal, doing) ?? toMigrationError(error, doing);
}

async function readOperation(
  { endpoint, credential }: Clients,
  location: string | undefined,
): Promise<Refusal | undefined> {
  // The token goes nowhere but to the endpoint that we were configured with.
  if (location === undefined || new URL(location).origin !== new URL(endpoint).origin) return undefined;
  const token = await credential.getToken(armScope);
  const response = await fetch(location, {
    headers: { authorization: `Bearer ${token?.token ?? ''}` },
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  });
  return OperationStatus.safeParse(await response.json()).data?.error;
}

/** "The long-running operation has failed. <code>. <message>": the text that @azure/core-lro@3.3.1 makes. */
function readFailure(error: unknown): Refusal | undefined {
  const match = /^The long-running operation has failed\. ([A-Za-z]\w*)\. (.*)$/s.exec(
    error instanceof Error ? error.message : '',
  );
  return match?.[1] === undefined ? undefined : { code: match[1], message: match[2] ?? '' };
}

// https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure and
// https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
const noCapacity = new Set(['AllocationFailed', 'ZonalAllocationFailed', 'OverconstrainedAllocationRequest']);
const passing = new Set([
  // What was attached a moment ago: Azure lets go of it later than it says.
  'InUseNetworkSecurityGroupCannotBeDeleted',
  'NicInUse',
  'NicReservedForAnotherVm',
  'AnotherOperationInProgress',
  'Conflict',
  'ConcurrentModificationError',
  'InternalExecutionError',
  'InternalServerError',
  'OperationPreempted',
  'RetryableError',
  'ServiceUnavailable',
  'VMStartTimedOut',
]);

function classify(refusal: Refusal | undefined, doing: string): MigrationError | undefined {
  if (!refusal) return undefined;
  const { code, message } = refusal;
  const text = `Failed: ${doing}: ${message || code}`;
  const detail = `${code}: ${message}`;
  if (/quota/i.test(`${code} ${message}`)) {
    return terminal(
      'quotaExceeded',
      text,
      'Ask for more quota in the region or choose another size, then retry.',
      detail,
    );
  }
  if (noCapacity.has(code)) {
    const suggestion = 'The region has no room for this size now; it is tried again. If it lasts, choose another size.';
    return withDetail(transient('unavailable', text, suggestion), detail);
  }
  if (code === 'TooManyRequests') {
    return new MigrationError({
      code: 'throttled',
      kind: 'throttled',
      message: text,
      suggestion: 'It is tried again later.',
      detail,
    });
  }
  if (passing.has(code)) {
    return withDetail(transient('unavailable', text, 'The service failed for the moment; it is tried again.'), detail);
  }
  return terminal(
    'azureRejected',
    text,
    'Azure refused for good: read its message, change the input, then retry.',
    detail,
  );
}

/** A refusal at once: some codes say more than their status does. */
function refusalOf(error: unknown, doing: string): MigrationError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const telling = typeof code === 'string' && (noCapacity.has(code) || passing.has(code));
  const classified = telling ? classify({ code, message: String(message ?? '') }, doing) : undefined;
  return classified ?? toMigrationError(error, doing);
}

function withDetail({ failure }: MigrationError, detail: string): MigrationError {
  return new MigrationError({ ...failure, detail });
}

function describe(kind: LongOperation['kind'], name: string): string {
  return `${kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} "${name}"`;
}
