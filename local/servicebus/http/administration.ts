// stub
import type { RequestListener } from 'node:http';
import type { Services } from '../amqp/peer.ts';
export function serveAdministration(_s: Services & { namespace: string }): RequestListener {
  return (_q, r) => void r.writeHead(501).end();
}
