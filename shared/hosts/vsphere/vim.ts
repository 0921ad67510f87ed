// The few managed objects of the Virtual Infrastructure JSON API that hosts need, and waiting for its tasks.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Vcenter, VcenterRefusal, VcenterSilence } from './client.ts';

const Plain = z.looseObject({ type: z.string(), value: z.string() });
/** A reference to a managed object. Where any type may stand it is boxed by some releases and not by others. */
export const Reference = z.union([
  Plain,
  z.looseObject({ _typeName: z.literal('ManagedObjectReference'), _value: Plain }).transform(({ _value }) => _value),
]);

const TaskInfo = z.looseObject({
  state: z.enum(['queued', 'running', 'success', 'error']),
  result: z.unknown().optional(),
  error: z
    .looseObject({ fault: z.looseObject({ _typeName: z.string() }), localizedMessage: z.string().optional() })
    .optional(),
});

const pollMs = 500;
const taskWithinMs = 240_000;

/** Starts a task and waits for its end; returns its result. Throws `VcenterRefusal` with the fault that ended it. */
export async function runTask(vcenter: Vcenter, path: string, body: object): Promise<unknown> {
  const task = await vcenter.vim('POST', path, Reference, body);
  for (const until = Date.now() + taskWithinMs; ; await sleep(pollMs)) {
    const { state, result, error } = await vcenter.vim('GET', `/Task/${task.value}/info`, TaskInfo);
    if (state === 'success') return result;
    if (state === 'error')
      throw new VcenterRefusal(path, 200, error?.fault._typeName ?? '', error?.localizedMessage ?? 'the task failed');
    if (Date.now() > until)
      throw new VcenterSilence(`${path}: task ${task.value} was still ${state} after ${taskWithinMs / 1000} s`);
  }
}

/** A reference as requests carry it. */
export const referenceTo = (type: string, value: string) => ({ _typeName: 'ManagedObjectReference', type, value });
