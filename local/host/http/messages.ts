// HTTP requests and responses between Node's server and the worker protocol's RpcHttpData.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';

/** Header names and values, several values of one name joined. */
export function plainHeaders(request: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) headers[name] = values?.join(', ') ?? '';
  return headers;
}

const Cookie = z.object({
  name: z.string(),
  value: z.string(),
  domain: z.object({ value: z.string() }).nullish(),
  path: z.object({ value: z.string() }).nullish(),
  expires: z.object({ value: z.object({ seconds: z.number() }) }).nullish(),
  secure: z.object({ value: z.boolean() }).nullish(),
  httpOnly: z.object({ value: z.boolean() }).nullish(),
  sameSite: z.string().nullish(),
  maxAge: z.object({ value: z.number() }).nullish(),
});

const RpcHttp = z.object({
  statusCode: z.coerce.number(),
  headers: z.record(z.string(), z.string()).default({}),
  cookies: z.array(Cookie).default([]),
  body: z.object({ bytes: z.instanceof(Uint8Array).optional(), string: z.string().optional() }).nullish(),
});

// The connection is the host's own business.
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
  'content-length',
]);

/** Sends what the library made of a handler's return value. */
export function sendRpcHttp(response: ServerResponse, data: unknown, withBody: boolean): void {
  const http = RpcHttp.parse(data);
  const body = http.body?.bytes ?? Buffer.from(http.body?.string ?? '');
  response.statusCode = http.statusCode;
  for (const [name, value] of Object.entries(http.headers)) if (!hopByHop.has(name)) response.setHeader(name, value);
  for (const cookie of http.cookies) response.appendHeader('set-cookie', cookieText(cookie));
  const hasBody = http.statusCode !== 204 && http.statusCode !== 304;
  if (hasBody) response.setHeader('content-length', body.byteLength);
  response.end(hasBody && withBody ? body : undefined);
}

function cookieText(cookie: z.infer<typeof Cookie>): string {
  const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None' }[cookie.sameSite ?? ''];
  return [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.domain && `Domain=${cookie.domain.value}`,
    cookie.path && `Path=${cookie.path.value}`,
    cookie.expires && `Expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge && `Max-Age=${cookie.maxAge.value}`,
    cookie.secure?.value && 'Secure',
    cookie.httpOnly?.value && 'HttpOnly',
    sameSite && `SameSite=${sameSite}`,
  ]
    .filter(Boolean)
    .join('; ');
}
