// What a profile may say and a wave, group or workload may override: environment ← profile ← wave ← group ← workload.
import { z } from 'zod';
import { CutoverAction } from '../actions/all.ts';
import { cadenceSettings } from './cadence.ts';
import { ArmId, Duration, ReachableHost, ReachableUrl } from './ids.ts';
import { isolationSettings, resolvedIsolation } from './isolation.ts';

const named = { name: z.string().min(1).max(80) };

/** One acceptance or validation check. `boot` and `file` ask the target through Azure, `dns` reads the zone, `tcp` and `http` are run by the target appliance. */
export const Check = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('boot'), ...named }),
  z.strictObject({
    kind: z.literal('file'),
    ...named,
    // Azure's run command takes a script and runs it as root: whoever plans a check must not be able to write one.
    path: z
      .string()
      .max(512)
      .regex(/^\/[\w./+@:-]*$/, 'is not an absolute path of letters, digits and . _ / + @ : -'),
    contains: z.string().max(512).optional(),
  }),
  z.strictObject({
    kind: z.literal('dns'),
    ...named,
    zoneId: ArmId,
    record: z.string().min(1).max(63),
    expect: z.string().max(253),
  }),
  z.strictObject({
    kind: z.literal('tcp'),
    ...named,
    host: ReachableHost,
    port: z.int().min(1).max(65535),
    expect: z.enum(['open', 'closed']),
  }),
  z.strictObject({
    kind: z.literal('http'),
    ...named,
    url: ReachableUrl,
    expectStatus: z.int().min(100).max(599).default(200),
  }),
]);
export type Check = z.infer<typeof Check>;

/** The actions of step 11, in order; what moves the traffic runs last. Each is known by its name. */
const Actions = z
  .array(CutoverAction)
  .max(50)
  .superRefine((actions, context) => {
    actions.forEach(({ name }, index) => {
      if (actions.findIndex((other) => other.name === name) === index) return;
      const message = `another action of this workload is called "${name}" as well: give each a name of its own`;
      context.addIssue({ code: 'custom', path: [index, 'name'], message });
    });
  });

/**
 * How long the records of the actions live around a cutover. Lowered ahead, so that no client keeps an old answer when
 * traffic moves, and put back after the commit, or when there is none.
 */
const Ttl = z.strictObject({
  lower: z.boolean().default(true).describe('false: records live on as long as they do'),
  during: z.int().min(1).max(3600).default(60).describe('seconds that they live from then until the commit'),
  ahead: Duration.default('PT1H').describe('how long before the window at the latest; never less than they lived'),
});

const Course = z.enum(['commit', 'wait', 'rollback']);

/**
 * What happens after validation: checks that passed, failed, or stayed silent (no answer in time). Each rollback here
 * happens after traffic has moved, so it must say why a loss is acceptable; each commit without proof, why that is.
 */
export const CommitPolicy = z
  .strictObject({
    onPassed: Course.default('wait'),
    onFailed: Course.default('wait'),
    onSilent: Course.default('wait'),
    timeout: Duration.default('PT4H').describe('how long people are waited for'),
    onTimeout: z
      .enum(['commit', 'hold', 'rollback'])
      .default('hold')
      .describe('only what has passed commits by itself'),
    acceptDataLoss: z.string().trim().min(1).max(500).optional().describe('the reason; approved with the cutover gate'),
    acceptUnproven: z.string().trim().min(1).max(500).optional().describe('the reason; approved with the cutover gate'),
  })
  .refine(
    ({ onPassed, onFailed, onSilent, onTimeout, acceptDataLoss }) =>
      acceptDataLoss !== undefined || ![onPassed, onFailed, onSilent, onTimeout].includes('rollback'),
    {
      path: ['acceptDataLoss'],
      message:
        'a policy that rolls back after traffic has moved may lose what the target has accepted: give the reason why that is acceptable',
    },
  )
  .refine(
    ({ onFailed, onSilent, acceptUnproven }) =>
      acceptUnproven !== undefined || ![onFailed, onSilent].includes('commit'),
    {
      path: ['acceptUnproven'],
      message:
        'a policy that commits although checks failed or stayed silent has no proof: give the reason why that is acceptable',
    },
  );
export type CommitPolicy = z.infer<typeof CommitPolicy>;

/** How a check gets its chance before a verdict; what it took is kept with its result. */
const patience = {
  tries: z.int().min(1).max(10).describe('how often a check that fails or stays silent is run in all'),
  tryEvery: Duration.describe('the time between two tries'),
  answerWithin: Duration.describe('how long the appliance is waited for; then its checks are silent'),
};
const resolvedPatience = {
  tries: patience.tries.default(1),
  tryEvery: patience.tryEvery.default('PT30S'),
  answerWithin: patience.answerWithin.default('PT15M'),
};

/** What a sync reads back from its target: what it wrote, some blocks drawn at random, or everything. */
export const Verification = z.enum(['written', 'sample', 'all']);
export type Verification = z.infer<typeof Verification>;

/** Settings as written at one level: everything optional. */
export const Settings = z.strictObject({
  placement: z
    .strictObject({ subnetId: ArmId, testSubnetId: ArmId, quarantineNetworkSecurityGroupId: ArmId })
    .partial()
    .optional(),
  sizing: z
    .strictObject({ vmSize: z.string().min(1).max(64), diskSku: z.string().min(1).max(64) })
    .partial()
    .optional(),
  sync: z
    .strictObject({
      ...cadenceSettings,
      stallAfter: Duration.describe('silence after which a running sync counts as stalled'),
      verify: Verification.describe('what is read back from the target after each sync'),
      maxLagAtCutover: Duration.describe('how old the last point may be when step 9 starts'),
    })
    .partial()
    .optional(),
  uat: z
    .strictObject({
      checks: z.array(Check).max(50),
      expiresAfter: Duration,
      ...isolationSettings,
      ...patience,
    })
    .partial()
    .optional(),
  cutover: z
    .strictObject({
      actions: Actions,
      ttl: Ttl,
      shutdownWithin: Duration,
      onShutdownRefused: z.enum(['force', 'abort']),
    })
    .partial()
    .optional(),
  validation: z
    .strictObject({ checks: z.array(Check).max(50), ...patience })
    .partial()
    .optional(),
});
export type Settings = z.infer<typeof Settings>;

/** Settings after all levels have been merged: nothing is left open. */
export const ResolvedSettings = z.strictObject({
  placement: z.strictObject({ subnetId: ArmId, testSubnetId: ArmId, quarantineNetworkSecurityGroupId: ArmId }),
  sizing: z.strictObject({ vmSize: z.string(), diskSku: z.string() }),
  sync: z.strictObject({
    cadence: cadenceSettings.cadence,
    tighten: cadenceSettings.tighten.optional(),
    rpo: cadenceSettings.rpo.optional(),
    blackouts: cadenceSettings.blackouts.default([]),
    stallAfter: Duration,
    verify: Verification,
    maxLagAtCutover: Duration,
  }),
  uat: z.strictObject({
    checks: z.array(Check),
    expiresAfter: Duration,
    ...resolvedIsolation,
    ...resolvedPatience,
  }),
  cutover: z.strictObject({
    actions: Actions,
    ttl: Ttl.prefault({}),
    shutdownWithin: Duration,
    onShutdownRefused: z.enum(['force', 'abort']),
  }),
  validation: z.strictObject({ checks: z.array(Check), ...resolvedPatience }),
});
export type ResolvedSettings = z.infer<typeof ResolvedSettings>;
