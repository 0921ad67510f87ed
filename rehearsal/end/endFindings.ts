// What must be true when a story is over: looked at once, beside the invariants that were watched all the way.
import type { World } from '../world/world.ts';
import { beforeStates } from './beforeStates.ts';
import { legalEnds } from './legalEnds.ts';
import { nothingStuck } from './nothingStuck.ts';

export function endFindings(
  world: World,
  before: ReturnType<typeof beforeStates.note>,
): [name: string, what: string][] {
  return [
    ...legalEnds(world).map((what): [string, string] => ['the end is legal', what]),
    ...beforeStates
      .compare(world, before)
      .map((what): [string, string] => ['a rollback restores what was before', what]),
    ...nothingStuck(world).map((what): [string, string] => ['no orchestration is stuck or too large', what]),
  ];
}
