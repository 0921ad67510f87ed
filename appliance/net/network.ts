// What probes see of the network. A process that only stands for a machine is not in that machine's network: it asks
// whoever simulates it, and sends no packet itself.
import * as dns from 'node:dns/promises';
import { z } from 'zod';
import { Reached } from '../../shared/model/probe.ts';
import { messageOf } from '../log.ts';
import { dial } from './dial.ts';
import { guardedLookup } from './guard.ts';
import { send } from './http.ts';

export interface Network {
  /** What becomes of a connection; never rejects. */
  reach(host: string, port: number): Promise<Reached>;
  /** What a name or an address leads to, none if nothing has it. Rejects when that cannot be told. */
  resolve(question: string, type: 'A' | 'PTR'): Promise<string[]>;
}

const timeoutMs = 5_000;
const nothing = new Set(['ENOTFOUND', 'ENODATA']);

/** The network that this machine is in, with its own resolver. */
export function ownNetwork(resolver: Pick<typeof dns, 'lookup' | 'resolve4' | 'reverse'> = dns): Network {
  return {
    reach: (host, port) => dial(host, port, { timeoutMs, lookup: guardedLookup() }),
    async resolve(question, type) {
      try {
        if (type === 'PTR') return await resolver.reverse(question);
        // A name without a domain is completed by the resolver's search list, which only a look-up applies.
        if (question.includes('.')) return await resolver.resolve4(question);
        return (await resolver.lookup(question, { all: true, family: 4 })).map(({ address }) => address);
      } catch (error) {
        if (nothing.has((error as NodeJS.ErrnoException).code ?? '')) return [];
        throw error;
      }
    },
  };
}

const Resolved = z.object({ answers: z.array(z.string()) });
const Refused = z.object({ error: z.object({ message: z.string() }) });

/** The network of the machine that this process stands for, as `url` tells it. */
export function askedNetwork(url: string): Network {
  const ask = async (question: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    const { status, body } = await send(url, { method: 'POST', headers, body: JSON.stringify(question), timeoutMs });
    const answer: unknown = JSON.parse(body.toString('utf8'));
    if (status === 200) return answer;
    throw new Error(Refused.safeParse(answer).data?.error.message ?? `it answered ${status}`);
  };
  return {
    async reach(host, port) {
      try {
        return Reached.parse(await ask({ reach: { host, port } }));
      } catch (error) {
        return { seen: 'notRun', detail: messageOf(error).slice(0, 500) };
      }
    },
    resolve: async (question, type) => Resolved.parse(await ask({ resolve: { question, type } })).answers,
  };
}
