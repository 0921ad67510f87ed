// What the waves found, held against what they leave: whoever did not commit is as it was, apart from the replicated points.
import type { DnsRecord } from '../../shared/azure/contract.ts';
import { applianceIds, type WorkloadPlan } from '../../shared/model/plan.ts';
import type { EventDocument } from '../../shared/store/documents.ts';
import { resourceNames } from '../../shared/store/plans.ts';
import type { World } from '../world/world.ts';

interface Machine {
  power: string;
  nicConnected: boolean;
  services: Record<string, string>;
  startModes: Record<string, string>;
}
interface Before {
  machines: Map<string, Machine>;
  records: Map<string, DnsRecord>;
  pools: Map<string, unknown[]>;
}

export const beforeStates = { note, compare };

function note(world: World): Before {
  const machines = new Map([...world.hosts.machines.keys()].map((id) => [id, machineOf(world, id)]));
  return { machines, records: new Map(world.azure.records), pools: new Map(world.azure.pools.addresses) };
}

function compare(world: World, before: Before): string[] {
  const workloads = world
    .documents<{ kind: 'state'; plan: WorkloadPlan; state: { phase: string } }>('state')
    .filter(({ state }) => state.phase !== 'unregistered');
  const carriedOut = withoutLeftOut(world);
  const committed = workloads.filter(({ state }) => state.phase === 'committed').map(({ plan }) => carriedOut(plan));
  const sources = new Set(committed.map(({ source }) => source.id));
  return [
    ...committed.flatMap((plan) => [
      ...notServing(world, plan),
      ...notLivingOn(world, before, plan),
      ...notBalanced(world, plan),
      ...notTold(world, plan),
      ...notRun(world, plan),
      ...notMonitored(world, plan),
    ]),
    ...workloads
      .filter(({ plan, state }) => state.phase !== 'committed' && !sources.has(plan.source.id))
      .flatMap(({ plan, state }) => notAsBefore(world, before, plan, state.phase === 'replicating')),
    ...leftovers(world),
  ];
}

function machineOf(world: World, id: string): Machine {
  const { power, nicConnected, services, startModes } = world.hosts.machine(id);
  return {
    power,
    nicConnected,
    services: Object.fromEntries(services),
    startModes: Object.fromEntries(startModes),
  };
}

function notServing(world: World, plan: WorkloadPlan): string[] {
  const { azure, hosts } = world;
  const { source, target, settings } = plan;
  const machine = azure.machine(target.name);
  const quarantine = settings.placement.quarantineNetworkSecurityGroupId;
  const opens = settings.cutover.actions.some(({ kind }) => kind === 'networkSecurityGroup');
  const { power } = hosts.machine(source.id);
  return [
    ...(machine === undefined || machine.goes ? [`${source.id} committed, and its target is not there`] : []),
    ...(opens && machine?.securityGroupId === quarantine ? [`${target.name} committed in its quarantine`] : []),
    ...(power === 'on' ? [`${source.id} committed, and is on`] : []),
  ];
}

/** Whoever was to be told that a target is there knows it once it has committed. */
function notTold(world: World, plan: WorkloadPlan): string[] {
  const { webhooks } = world;
  const { workloadId, settings } = plan;
  return settings.cutover.actions
    .filter(({ kind, name }) => kind === 'webhook' && standing(webhooks, workloadId, name) !== 1)
    .map(({ name }) => `${workloadId} committed, and "${name}" stands ${standing(webhooks, workloadId, name)} times`);
}

/** How often something was told of a workload that was not taken back. */
function standing(webhooks: World['webhooks'], workloadId: string, name: string): number {
  const own = webhooks.standing().filter(({ event }) => event.subject === workloadId && event.data['action'] === name);
  return own.length;
}

/** Who has committed is under its data collection rules. */
function notMonitored(world: World, plan: WorkloadPlan): string[] {
  const { target, settings } = plan;
  return settings.cutover.actions.flatMap((action) =>
    action.kind !== 'monitoring' || world.azure.monitored.has(target.name, action.dataCollectionRuleId)
      ? []
      : [`${target.name} committed, and is not under ${action.dataCollectionRuleId}`],
  );
}

/** What was to be run on a target has run there, once, when it has committed. */
function notRun(world: World, plan: WorkloadPlan): string[] {
  const { workloadId, target, settings } = plan;
  return settings.cutover.actions.flatMap((action) => {
    if (action.kind !== 'script') return [];
    const times = scriptsOf(world.azure, target.name, action.run).filter(({ isGone }) => !isGone).length;
    return times === 1 ? [] : [`${workloadId} committed, and "${action.name}" stands ${times} times`];
  });
}

/** What has to be taken back was taken back before its target went. */
function notTakenBack({ azure }: World, { workloadId, target, settings }: WorkloadPlan): string[] {
  return settings.cutover.actions.flatMap((action) => {
    if (action.kind !== 'script' || action.undo === undefined) return [];
    const left = scriptsOf(azure, target.name, action.run);
    return left.length === 0 ? [] : [`"${action.name}" was run for ${workloadId}, and never taken back`];
  });
}

function scriptsOf({ scripts }: World['azure'], machine: string, lines: readonly string[]) {
  return scripts.standing(machine).filter((one) => one.lines.join('\n') === lines.join('\n'));
}

/** Who has committed is behind its load balancer, and its source is not. */
function notBalanced(world: World, plan: WorkloadPlan): string[] {
  const { target, settings } = plan;
  const { pools } = world.azure;
  return settings.cutover.actions.flatMap((action) => {
    if (action.kind !== 'loadBalancer') return [];
    const { backendPoolId, takeOut } = action;
    const held = takeOut === undefined ? [] : (pools.addresses.get(takeOut.backendPoolId) ?? []);
    return [
      ...(pools.has(target.name, backendPoolId) ? [] : [`${target.name} committed, and is behind no load balancer`]),
      ...(held.some(({ address }) => address === takeOut?.address)
        ? [`${target.name} committed, and its source is behind a load balancer`]
        : []),
    ];
  });
}

/** Where clients were led by a record that stays, it lives as long as before, or as the plan says. */
function notLivingOn({ azure }: World, before: Before, { settings }: WorkloadPlan): string[] {
  return settings.cutover.actions.flatMap((action) => {
    if (action.kind !== 'dns') return [];
    const key = `${action.type} ${action.record}`;
    const wanted = action.ttlSeconds ?? before.records.get(key)?.ttlSeconds;
    const is = azure.records.get(key)?.ttlSeconds;
    return wanted === undefined || is === wanted ? [] : [`the record ${key} lives ${is} s and not ${wanted} s`];
  });
}

/** A plan as it was carried out: without the actions that people have left out of a retry of step 11. */
function withoutLeftOut(world: World): (plan: WorkloadPlan) => WorkloadPlan {
  const leftOut = new Map<string, string[]>();
  for (const { waveId, workloadId, event } of world.documents<EventDocument>('event')) {
    if (event.type !== 'landfall.step.started' || event.data.step !== 'postCutover') continue;
    const { leaveOut = [] } = (event.data.changed ?? {}) as { leaveOut?: string[] };
    if (leaveOut.length === 0) continue;
    const who = `${waveId}/${workloadId}`;
    leftOut.set(who, [...(leftOut.get(who) ?? []), ...leaveOut]);
  }
  return (plan) => {
    const { cutover } = plan.settings;
    const names = leftOut.get(`${plan.waveId}/${plan.workloadId}`) ?? [];
    const actions = cutover.actions.filter(({ name }) => !names.includes(name));
    return { ...plan, settings: { ...plan.settings, cutover: { ...cutover, actions } } };
  };
}

function notAsBefore(world: World, before: Before, plan: WorkloadPlan, replicates: boolean): string[] {
  const { source, target, settings, method } = plan;
  const [was, is] = [before.machines.get(source.id), machineOf(world, source.id)];
  const names = [target.name, resourceNames.testMachine(target.name)];
  const disks = source.disks.flatMap(({ id }) => [
    resourceNames.disk(target.name, id),
    resourceNames.testDisk(target.name, id),
  ]);
  const left = [
    ...names.flatMap((name) => [`machine/${name}`, `nic/${name}-nic`]),
    ...disks.map((name) => `disk/${name}`),
  ].filter((key) => world.azure.exists(key));
  const records = settings.cutover.actions.flatMap((action) =>
    action.kind === 'dns' ? [`${action.type} ${action.record}`] : [],
  );
  const exchanged = settings.cutover.actions.flatMap((action) =>
    action.kind === 'loadBalancer' && action.takeOut !== undefined ? [action.takeOut] : [],
  );
  const entry = (pools: ReadonlyMap<string, unknown[]>, { backendPoolId, address }: (typeof exchanged)[number]) =>
    JSON.stringify((pools.get(backendPoolId) ?? []).find((one) => (one as { address: string }).address === address));
  return [
    ...(JSON.stringify(was) === JSON.stringify(is)
      ? []
      : [`${source.id} was ${JSON.stringify(was)} and is ${JSON.stringify(is)}`]),
    ...left.map((key) => `${key} is left`),
    ...records
      .filter((key) => JSON.stringify(before.records.get(key)) !== JSON.stringify(world.azure.records.get(key)))
      .map((key) => `the record ${key} is ${JSON.stringify(world.azure.records.get(key))}`),
    ...settings.cutover.actions
      .filter(({ kind, name }) => kind === 'webhook' && standing(world.webhooks, plan.workloadId, name) > 0)
      .map(({ name }) => `"${name}" was told of ${plan.workloadId}, and never taken back`),
    ...notTakenBack(world, plan),
    ...[...world.azure.monitored.associations]
      .filter((association) => association.startsWith(`${target.name} under `))
      .map((association) => `${association} is left`),
    ...exchanged
      .filter((one) => entry(before.pools, one) !== entry(world.azure.pools.addresses, one))
      .map(({ backendPoolId, address }) => `${address} is not in ${backendPoolId} as it was`),
    ...(!replicates && method === 'agent' && world.hosts.machine(source.id).agent !== undefined
      ? [`the agent of ${source.id} is left`]
      : []),
    ...(!replicates && method === 'agent' && world.bus.subscriptions.has(applianceIds.agent(source.id))
      ? [`the subscription of the agent of ${source.id} is left`]
      : []),
  ];
}

/** No clone, test disk or security group of a wave outlives it; with the last lease goes what was made for the environment. */
function leftovers(world: World): string[] {
  const names = world.azure.names();
  const groups = names.filter((name) => name.startsWith('securityGroup/'));
  const held = world
    .documents<{ kind: 'state'; state: { phase: string } }>('state')
    .some(({ state }) => state.phase === 'replicating');
  const shared = [
    ...names.filter((name) => name.startsWith('machine/lf-')),
    ...world.hosts.workers,
    ...(world.azure.rolesGranted ? ['roles'] : []),
  ];
  const frozen = [...world.hosts.machines.values()].flatMap(({ source, snapshots }) =>
    [...snapshots].map((name) => `snapshot ${name} of ${source.id}`),
  );
  return [
    ...[...groups, ...frozen].map((name) => `${name} is left`),
    ...(held ? [] : shared.map((name) => `${name} is left although no wave needs it`)),
  ];
}
