import type { RuntimeStatus } from '../../local/durable/rows.ts';
import type { World } from '../world/world.ts';

/** https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-perf-and-scale: replay is quadratic. */
const mostChildren = 200;
const notCompleted: RuntimeStatus[] = ['Pending', 'Running', 'Suspended', 'Failed', 'Terminated'];

/** No orchestration waits for what never comes, none broke, and none had more children than its replay can bear. */
export function nothingStuck(world: World): string[] {
  // Asked for by status: an answer is one page, which those that have completed would fill.
  const { instances } = world.durable.query({ runtimeStatus: notCompleted });
  return [
    ...instances.map(
      ({ instanceId, runtimeStatus, output }) =>
        `${instanceId} is ${runtimeStatus}: ${JSON.stringify(output)?.slice(0, 300)}`,
    ),
    ...[...world.children]
      .filter(([, children]) => children.size > mostChildren)
      .map(([instanceId, children]) => `${instanceId} has ${children.size} children`),
  ];
}
