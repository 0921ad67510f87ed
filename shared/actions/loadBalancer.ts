import { z } from 'zod';
import { terminal } from '../errors.ts';
import { ArmId } from '../model/ids.ts';
import { estimate } from '../policy/fit/estimate.ts';
import { type Action, defineAction, type Place, type Reach } from './action.ts';
import { named } from './named.ts';

const PoolId = ArmId.regex(
  /\/providers\/Microsoft\.Network\/loadBalancers\/[^/]+\/backendAddressPools\/[^/]+$/i,
  'use the id of a backend pool: it ends with /loadBalancers/{name}/backendAddressPools/{name}',
);

const schema = z.strictObject({
  kind: z.literal('loadBalancer'),
  ...named,
  backendPoolId: PoolId.describe('the pool that the target joins with its network interface'),
  takeOut: z
    .strictObject({ backendPoolId: PoolId, address: z.ipv4('give the IPv4 address that stands for the source') })
    .optional()
    .describe('the source’s address, out of a pool that knows its members by address'),
});

const Taken = z.strictObject({
  place: z.int(),
  name: z.string(),
  address: z.string(),
  virtualNetworkId: z.string().optional(),
  subnetId: z.string().optional(),
  adminState: z.string().optional(),
});

const pools = 'Microsoft.Network/loadBalancers/backendAddressPools';

/** Puts the target behind a load balancer, and perhaps takes the source out from behind one: then the traffic moves. */
export const loadBalancer: Action<typeof schema> = defineAction({
  schema,
  time: estimate(20, 120),
  needs: ({ takeOut }) => [
    `${pools}/read`,
    `${pools}/join/action`,
    // A pool that holds addresses is tied to the virtual network in which they are.
    ...(takeOut === undefined ? [] : [`${pools}/write`, 'Microsoft.Network/virtualNetworks/joinLoadBalancer/action']),
  ],
  movesTraffic: ({ takeOut }) => takeOut !== undefined,
  async precheck({ azure }, { environment, machine }, { backendPoolId, takeOut }) {
    if ((await azure.loadBalancers.pool(backendPoolId)).by === 'addresses')
      throw terminal(
        'invalidInput',
        `The backend pool ${backendPoolId} knows its members by address, and a target joins with its network interface.`,
        'Name a pool without addresses for the target, then retry; or roll back.',
      );
    if (takeOut === undefined) return;
    const isThere = await azure.loadBalancers.address(takeOut.backendPoolId, takeOut.address);
    // Once there is a target, an earlier try may have taken it out.
    if (isThere !== undefined || (await azure.compute.findMachine(environment, machine)) !== undefined) return;
    throw terminal(
      'notFound',
      `The backend pool ${takeOut.backendPoolId} has no address ${takeOut.address} that could be taken out.`,
      'Correct the address in the plan, or put it into the pool, then retry; or roll back.',
    );
  },
  async run(reach, place, action) {
    const before = await standing(reach, place, action);
    const { loadBalancers } = reach.azure;
    // The target first: at no moment is nobody behind the load balancer.
    await loadBalancers.join(place.environment, place.machine, action.backendPoolId);
    if (action.takeOut !== undefined) await loadBalancers.takeOut(action.takeOut.backendPoolId, action.takeOut.address);
    return { before, after: await standing(reach, place, action) };
  },
  async look(reach, place, action) {
    return { is: await standing(reach, place, action), wanted: spell(true, action, false) };
  },
  undo: {
    before: z.strictObject({ taken: Taken.nullable() }),
    time: estimate(20, 120),
    async capture({ azure }, _place, { takeOut }) {
      if (takeOut === undefined) return { taken: null };
      return { taken: (await azure.loadBalancers.address(takeOut.backendPoolId, takeOut.address)) ?? null };
    },
    async run(reach, place, action, { taken }) {
      const before = await standing(reach, place, action);
      const { loadBalancers } = reach.azure;
      if (taken !== null && action.takeOut !== undefined)
        await loadBalancers.putBack(action.takeOut.backendPoolId, taken);
      await loadBalancers.leave(place.environment, place.machine, action.backendPoolId);
      return { before, after: await standing(reach, place, action) };
    },
    todo: ({ backendPoolId, takeOut }, { taken }) =>
      [
        ...(taken === null || takeOut === undefined
          ? []
          : [`put ${taken.address} ("${taken.name}") back into the backend pool ${takeOut.backendPoolId}`]),
        `take the target’s network interface out of the backend pool ${backendPoolId}`,
      ].join('; '),
  },
});

/** Where target and source stand, in words. */
async function standing(
  { azure }: Reach,
  { environment, machine }: Place,
  action: z.infer<typeof schema>,
): Promise<string> {
  const isThere = (await azure.compute.findMachine(environment, machine)) !== undefined;
  const isIn = isThere && (await azure.loadBalancers.has(environment, machine, action.backendPoolId));
  const { takeOut } = action;
  const source = takeOut && (await azure.loadBalancers.address(takeOut.backendPoolId, takeOut.address));
  return spell(isIn, action, source !== undefined);
}

function spell(isIn: boolean, { takeOut }: z.infer<typeof schema>, sourceIsIn: boolean): string {
  const source = takeOut === undefined ? '' : `, ${takeOut.address} ${sourceIsIn ? 'in' : 'out'}`;
  return `target ${isIn ? 'in' : 'out'}${source}`;
}
