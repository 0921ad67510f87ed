// beginGetAccess and endGetAccess: the content of a disk or snapshot as a fixed VHD, behind an address that expires.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { Handler, Kernel } from '../contract.ts';
import { footerSize, makeFooter } from '../disks/vhd.ts';
import { conflict, notSimulated } from '../http/errors.ts';
import { lastName } from '../ids.ts';
import { parse, part, text } from '../json.ts';
import type { Resource } from '../store.ts';
import { existing } from './common.ts';
import { diskType, snapshotType, stateOf, uniqueId } from './diskState.ts';

const grantBody = z.looseObject({
  access: z.string(),
  durationInSeconds: z
    .number()
    .int()
    .positive()
    .max(60 * 86_400),
});

export function diskAccess(kernel: Kernel, type: string): Record<string, Handler> {
  const { store, operations } = kernel;
  const parentOf = (path: string): Resource => existing(kernel, path.slice(0, path.lastIndexOf('/')), type);

  operations.define(`grant ${type}`, {
    run:
      async ({ seconds }, target) =>
      () => {
        const disk = existing(kernel, target, type);
        const signature = randomBytes(32).toString('base64url');
        const expires = Date.now() + Number(seconds) * 1000;
        store.change(target, { diskState: 'ActiveSAS' }, { signature, expires });
        const query = new URLSearchParams({ sr: 'b', sp: 'r', se: new Date(expires).toISOString(), sig: signature });
        return { accessSAS: `${kernel.endpoint()}/md/${uniqueId(disk)}/abcd?${query}` };
      },
  });
  operations.define(`revoke ${type}`, {
    run: async (_, target) => () =>
      void store.change(target, { diskState: 'Unattached' }, { signature: null, expires: 0 }),
  });

  return {
    begingetaccess(request) {
      const disk = parentOf(request.target.path);
      const { access, durationInSeconds } = parse(grantBody, request.body);
      if (access !== 'Read') throw notSimulated(`Access '${access}' to a disk is not simulated; 'Read' is.`);
      if (text(part(disk.body, 'properties'), 'provisioningState') !== 'Succeeded')
        throw conflict('OperationNotAllowed', `${lastName(disk.id)} is not ready.`);
      if (stateOf(disk) === 'Attached') {
        throw conflict(
          'OperationNotAllowed',
          `Disk ${lastName(disk.id)} is attached to VM ${text(disk.body, 'managedBy')}; a shared access signature needs an unattached disk.`,
        );
      }
      kernel.disks.path(uniqueId(disk));
      return operations.accept(request, `grant ${type}`, disk.id, { seconds: durationInSeconds }, { status: 202 });
    },
    endgetaccess(request) {
      const disk = parentOf(request.target.path);
      return operations.accept(request, `revoke ${type}`, disk.id, {}, { status: 202 });
    },
  };
}

/** Serves `/md/{uniqueId}/abcd?sig=…`; false when the request is for something else. */
export function serveContent(kernel: Kernel, request: IncomingMessage, response: ServerResponse): boolean {
  if (!request.url?.startsWith('/md/')) return false;
  const url = new URL(`https://localhost${request.url}`);
  const id = /^\/md\/([0-9a-f-]{36})\/abcd$/.exec(url.pathname)?.[1];
  if (!id) return false;
  const disk = [...kernel.store.ofType(diskType), ...kernel.store.ofType(snapshotType)].find(
    (one) => uniqueId(one) === id,
  );
  if (!disk || !granted(disk, url.searchParams.get('sig') ?? '')) {
    response.writeHead(403, { 'x-ms-error-code': 'AuthenticationFailed' }).end();
    return true;
  }
  send(kernel, disk, request, response).catch(() => response.destroy());
  return true;
}

function granted(disk: Resource, signature: string): boolean {
  const wanted = Buffer.from(String(disk.hidden.signature ?? ''));
  const given = Buffer.from(signature);
  if (wanted.length === 0 || Number(disk.hidden.expires) < Date.now()) return false;
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

async function send(kernel: Kernel, disk: Resource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const size = Number(part(disk.body, 'properties').diskSizeBytes);
  const total = size + footerSize;
  const headers = {
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'x-ms-blob-type': 'PageBlob',
    // The content can't change while the access lasts. The blob client refuses a download without an ETag.
    etag: `"0x${uniqueId(disk).replaceAll('-', '').slice(0, 16).toUpperCase()}"`,
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const asked = /^bytes=(\d+)-(\d*)$/.exec(String(request.headers['x-ms-range'] ?? request.headers.range ?? ''));
  const first = asked ? Number(asked[1]) : 0;
  const last = Math.min(total - 1, asked?.[2] ? Number(asked[2]) : total - 1);
  if (first > last) {
    response.writeHead(416, { ...headers, 'content-range': `bytes */${total}` }).end();
    return;
  }
  const ranged = asked ? { 'content-range': `bytes ${first}-${last}/${total}` } : {};
  response.writeHead(asked ? 206 : 200, { ...headers, ...ranged, 'content-length': last - first + 1 });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  await pipeline(Readable.from(vhd(kernel, disk, size, first, last)), response);
}

/** The bytes from `first` to `last` of the disk followed by its footer. */
async function* vhd(kernel: Kernel, disk: Resource, size: number, first: number, last: number): AsyncGenerator<Buffer> {
  if (first < size) {
    const stream = createReadStream(kernel.disks.path(uniqueId(disk)), { start: first, end: Math.min(last, size - 1) });
    yield* stream as AsyncIterable<Buffer>;
  }
  if (last < size) return;
  const footer = makeFooter(size, Buffer.from(uniqueId(disk).replaceAll('-', ''), 'hex'));
  yield footer.subarray(Math.max(0, first - size), last - size + 1);
}
