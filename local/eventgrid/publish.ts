// What a publisher sends: CloudEvents 1.0 as JSON, one or a batch. The EventGrid schema is not spoken here.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readBody } from '../loopback.ts';

// A publish request holds at most 1 MB: https://learn.microsoft.com/azure/event-grid/quotas-limits
const MAX_REQUEST = 1_048_576;

const CloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().optional(),
});

export type CloudEvent = z.infer<typeof CloudEvent>;

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The events of a request, all valid, or a refusal of all of them. */
export async function readEvents(request: IncomingMessage): Promise<CloudEvent[]> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  const isBatch = type.trim() === 'application/cloudevents-batch+json';
  if (!isBatch && type.trim() !== 'application/cloudevents+json') {
    throw new Refusal(415, 'UnsupportedMediaType', 'Local topics take CloudEvents as JSON only');
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST) throw tooLarge();
  const body = await readBody(request, MAX_REQUEST).catch(() => Promise.reject(tooLarge()));
  const parsed = z.array(CloudEvent).safeParse(parseJson(body, isBatch));
  if (!parsed.success) throw new Refusal(400, 'BadRequest', z.prettifyError(parsed.error));
  return parsed.data;
}

function parseJson(body: Buffer, isBatch: boolean): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isBatch ? value : [value];
  } catch {
    throw new Refusal(400, 'BadRequest', 'The body is not JSON');
  }
}

function tooLarge(): Refusal {
  return new Refusal(413, 'RequestEntityTooLarge', `A request holds at most ${MAX_REQUEST} bytes`);
}
