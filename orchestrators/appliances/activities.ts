// The life of appliances as far as the platform has a hand in it. One-time tokens are made and used up inside an
// activity: they never enter an orchestration's history.
import { z } from 'zod';
import type { Capabilities } from '../../shared/capabilities.ts';
import { defineActivity, Nothing, type RetryPolicy } from '../../shared/durable/activity.ts';
import { transient } from '../../shared/errors.ts';
import { Phase } from '../../shared/lifecycle/phases.ts';
import { bootstrapOf, issueToken, tokenLifeMs } from '../../shared/oneTimeToken.ts';
import type { Bootstrap } from '../../shared/protocol/enrolment.ts';
import { dismiss } from '../../shared/store/appliances.ts';
import type { ApplianceDocument } from '../../shared/store/documents.ts';

const startWithinMs = 10 * 60_000;

/** What to do about an appliance that is wanted: nothing (it works), wait (it was started), or start it with this bootstrap. */
export type Wanted = { state: 'healthy' } | { state: 'started' } | { state: 'start'; bootstrap: string };

/**
 * Registers an appliance and makes its one-time token. `present` tells whether what runs it exists already: then its
 * token is baked in and a new one would lock it out.
 */
export async function wantAppliance(
  { store, bus, config, now }: Capabilities,
  wanted: {
    environmentId: string;
    applianceId: string;
    kind: Bootstrap['kind'];
    operationId: string;
    /** People start it: they fetch their token over HTTPS, for nobody else may see it. */
    byHand?: boolean;
  },
  present: boolean,
): Promise<Wanted> {
  const { environmentId, applianceId, kind, operationId, byHand = false } = wanted;
  const known = await store.appliances.get(applianceId);
  if (known?.status === 'healthy' && present) return { state: 'healthy' };
  const letOthersFinish = (appliance: ApplianceDocument): void => {
    if (isOthers(appliance, operationId) && (present || isBeingStarted(appliance, now())))
      throw beingStarted(appliance);
  };
  if (known !== undefined && present) {
    await store.appliances.change(applianceId, (appliance) => {
      letOthersFinish(appliance);
      return appliance.operationId === operationId ? undefined : { ...appliance, operationId };
    });
    return { state: 'started' };
  }
  const { token, ...issued } = issueToken(now());
  const registered: ApplianceDocument = {
    id: `appliance.${applianceId}`,
    kind: 'appliance',
    environmentId,
    applianceId,
    applianceKind: kind,
    status: 'awaited',
    ...issued,
    ...(byHand ? { byHand } : {}),
    operationId,
  };
  // Of two waves that begin at the same moment, one registers: a second token would lock the first one's process out.
  if (known === undefined) {
    if (!(await store.appliances.create(registered))) throw beingStarted(registered);
  } else if (known.environmentId !== environmentId) await store.appliances.put(registered);
  else
    await store.appliances.change(applianceId, (appliance) => {
      letOthersFinish(appliance);
      // Whoever has fetched a token may have started something with it.
      return appliance.tokenFor === undefined ? registered : { ...registered, tokenFor: appliance.tokenFor };
    });
  // Known first: where this fails, whoever does the rest by hand revokes it by its name.
  await bus.ensureSubscription(applianceId);
  return { state: 'start', bootstrap: JSON.stringify(bootstrapOf(config, kind, token)) };
}

/** The answer of an activity that cannot remove an appliance: people are to do it, if it is there. */
export const AskPeople = z.strictObject({ byHand: z.literal(true), present: z.boolean() });

/** Whether an appliance that people have started is there, as far as can be known: it has enrolled. */
export async function hasCome(store: Capabilities['store'], applianceId: string): Promise<boolean> {
  const { status } = (await store.appliances.get(applianceId)) ?? {};
  return status === 'enrolled' || status === 'healthy' || status === 'silent';
}

/** Whether it may be there although it never came: somebody has fetched its token. */
export async function mayHaveCome(store: Capabilities['store'], applianceId: string): Promise<boolean> {
  const appliance = await store.appliances.get(applianceId);
  return appliance !== undefined && (appliance.status !== 'awaited' || appliance.tokenFor !== undefined);
}

/** Whether another operation waits for this appliance to be healthy. There is one answer, so the other gets it. */
const isOthers = (appliance: ApplianceDocument, operationId: string): boolean =>
  appliance.operationId !== undefined && instanceOf(appliance.operationId) !== instanceOf(operationId);

const instanceOf = (operationId: string): string => operationId.slice(0, operationId.indexOf(':'));

/** Whether its token is so young that whoever asked for it may be about to start what uses it. */
function isBeingStarted({ status, tokenExpiresAt }: ApplianceDocument, at: string): boolean {
  const issuedMs = Date.parse(tokenExpiresAt ?? '') - tokenLifeMs;
  return status === 'awaited' && Date.parse(at) - issuedMs < startWithinMs;
}

const beingStarted = ({ applianceId }: ApplianceDocument) =>
  transient(
    'conflict',
    `Appliance ${applianceId} is being started by another wave.`,
    'It is looked at again until it is healthy.',
    2,
  );

/** For whoever may find an appliance in another wave's hands: a machine takes minutes to start. */
export const untilStarted: RetryPolicy = { attempts: 60, firstDelayMs: 500, maxDelayMs: 20_000 };

/** Takes an appliance's rights away and forgets it (idempotent). */
/** Whether an appliance is registered, whatever became of it. */
export const applianceKnown = defineActivity({
  name: 'applianceKnown',
  input: z.strictObject({ applianceId: z.string() }),
  output: z.boolean(),
  async effect({ store }, { applianceId }) {
    return (await store.appliances.get(applianceId)) !== undefined;
  },
});

export const dismissAppliance = defineActivity({
  name: 'dismissAppliance',
  changes: 'the rights of an appliance',
  input: z.strictObject({ applianceId: z.string() }),
  output: Nothing,
  async effect(reach, { applianceId }, { changed }) {
    await dismiss(reach, applianceId);
    changed({ verb: 'dismissed', object: `appliance ${applianceId}`, after: 'without rights' });
    return null;
  },
});

/** Takes away the rights of the agents of a wave's committed workloads (idempotent). Their sources are off. */
export const retireAgentsOf = defineActivity({
  name: 'retireAgentsOf',
  changes: 'the rights of agents',
  input: z.strictObject({ waveId: z.string() }),
  output: Nothing,
  async effect(reach, { waveId }, { changed }) {
    for (const { plan, state } of await reach.store.workloads.list(waveId)) {
      if (plan.method !== 'agent' || state.phase !== Phase.committed) continue;
      await dismiss(reach, plan.applianceId);
      const { workloadId, applianceId } = plan;
      changed({ workloadId, verb: 'dismissed', object: `appliance ${applianceId}`, after: 'without rights' });
    }
    return null;
  },
});
