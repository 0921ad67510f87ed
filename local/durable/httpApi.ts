// Management over HTTP, without a server: a request in, a response out. One set of routes serves both forms, the
// `rpcBaseUrl` that durable-functions 3.5.0 calls and the public webhook API
// (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api).
import { type DurableManagement, DurableRequestError } from './client.ts';
import type { InstanceFilter } from './query.ts';
import { isTerminal } from './rows.ts';

export interface ManagementRequest {
  method: string;
  /** What follows the form's base URL, still percent-encoded: `instances/abc/terminate`. */
  path: string;
  query: URLSearchParams;
  continuationToken: string | undefined;
  body: string;
}

export interface ManagementResponse {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Answers one management request; `links` makes the URLs for an instance that a start request answers. */
export async function handleManagement(
  management: DurableManagement,
  request: ManagementRequest,
  links: (instanceId: string) => Record<string, string>,
): Promise<ManagementResponse> {
  try {
    return await route(management, request, links);
  } catch (error) {
    if (error instanceof DurableRequestError) return { status: error.status, body: error.message };
    if (error instanceof URIError) return { status: 400, body: 'The path is no percent-encoded UTF-8.' };
    throw error;
  }
}

async function route(
  management: DurableManagement,
  request: ManagementRequest,
  links: (instanceId: string) => Record<string, string>,
): Promise<ManagementResponse> {
  const { method, query } = request;
  const [area, first, operation, eventName] = request.path.split('/').filter(Boolean).map(decodeURIComponent);
  if (area === 'orchestrators' && first !== undefined && method === 'POST') {
    const json = checkedJson(request.body);
    const id = await management.startWithJson(first, operation, json, query.get('version') ?? undefined);
    const urls = links(id);
    return { status: 202, headers: { location: urls['statusQueryGetUri'] ?? '', 'retry-after': '10' }, body: urls };
  }
  if (area === 'entities') return { status: 501, body: 'Entities are not supported by this Durable engine.' };
  if (area !== 'instances') return { status: 404, body: `No such Durable operation: ${method} ${request.path}` };
  if (first === undefined) return await manyInstances(management, request);
  if (operation === undefined) return await oneInstance(management, method, first, query);
  if (method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: `${operation} needs POST.` };
  const reason = query.get('reason') ?? '';
  switch (operation.toLowerCase()) {
    case 'raiseevent':
      await management.raiseEventWithJson(first, eventName ?? '', checkedJson(request.body) ?? 'null');
      return { status: 202 };
    case 'terminate':
      await management.terminate(first, reason);
      return { status: 202 };
    case 'suspend':
      await management.suspend(first, reason);
      return { status: 202 };
    case 'resume':
      await management.resume(first, reason);
      return { status: 202 };
    case 'rewind':
      return { status: 501, body: 'Rewind is not supported by this Durable engine.' };
    default:
      return { status: 404, body: `No such Durable operation: ${operation}` };
  }
}

const readOrPurged = { allow: 'GET, DELETE' };

async function oneInstance(
  management: DurableManagement,
  method: string,
  id: string,
  query: URLSearchParams,
): Promise<ManagementResponse> {
  if (method === 'DELETE') {
    const removed = await management.purge(id);
    return { status: removed > 0 ? 200 : 404, body: { instancesDeleted: removed } };
  }
  if (method !== 'GET')
    return { status: 405, headers: readOrPurged, body: 'An instance is read with GET and purged with DELETE.' };
  const status = management.status(id, statusOptions(query));
  if (!status) return { status: 404, body: `No instance with ID '${id}' found.` };
  const failedStatus =
    status.runtimeStatus === 'Failed' && query.get('returnInternalServerErrorOnFailure') === 'true' ? 500 : 200;
  return { status: isTerminal(status.runtimeStatus) ? failedStatus : 202, body: status };
}

async function manyInstances(management: DurableManagement, request: ManagementRequest): Promise<ManagementResponse> {
  const filter = filterOf(request);
  if (request.method === 'DELETE') {
    const removed = await management.purgeWhere(filter);
    return { status: removed > 0 ? 200 : 404, body: { instancesDeleted: removed } };
  }
  if (request.method !== 'GET')
    return { status: 405, headers: readOrPurged, body: 'Instances are listed with GET and purged with DELETE.' };
  const { instances, continuationToken } = management.query(filter);
  return {
    status: 200,
    body: instances,
    ...(continuationToken !== undefined && { headers: { 'x-ms-continuation-token': continuationToken } }),
  };
}

const statusOptions = (query: URLSearchParams) => ({
  showInput: query.get('showInput') !== 'false',
  showHistory: query.get('showHistory') === 'true',
  showHistoryOutput: query.get('showHistoryOutput') === 'true',
});

function filterOf({ query, continuationToken }: ManagementRequest): InstanceFilter {
  const time = (name: string) => {
    const text = query.get(name);
    if (!text) return undefined;
    const value = Date.parse(text);
    if (Number.isNaN(value)) throw new DurableRequestError(400, `${name} is not a time: ${text}`);
    return value;
  };
  const from = time('createdTimeFrom');
  const to = time('createdTimeTo');
  const statuses = query.get('runtimeStatus')?.split(',').filter(Boolean);
  const prefix = query.get('instanceIdPrefix');
  const top = Number(query.get('top') ?? '');
  return {
    ...statusOptions(query),
    ...(from !== undefined && { createdTimeFrom: from }),
    ...(to !== undefined && { createdTimeTo: to }),
    ...(statuses?.length && { runtimeStatus: statuses }),
    ...(prefix !== null && { instanceIdPrefix: prefix }),
    ...(top > 0 && { top }),
    ...(continuationToken !== undefined && { continuationToken }),
  };
}

function checkedJson(body: string): string | undefined {
  if (body.trim() === '') return undefined;
  try {
    return JSON.stringify(JSON.parse(body));
  } catch {
    throw new DurableRequestError(400, 'The body is not JSON.');
  }
}
