// What people do where no host can be asked: physical machines, clouds without an implementation of their own.
import { z } from 'zod';

/** One thing that a person does, and then confirms at a gate of its own. */
export const Act = z.enum([
  'powerOff',
  'disconnect',
  'connect',
  'powerOn',
  'installAgent',
  'removeAgent',
  'startWorker',
  'removeWorker',
]);
export type Act = z.infer<typeof Act>;

/** Whether nobody but people can be asked about this source or site. */
export function isByHand({ host }: { host: { kind: string } }): boolean {
  return host.kind === 'byHand';
}
