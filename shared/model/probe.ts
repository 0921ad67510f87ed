// Probes look at what a network does, and judge nothing: what they saw is held against what was to be.
import { z } from 'zod';
import { ReachableHost } from './ids.ts';

/** A text that says what is probed; unique among the probes of one workload. */
const ProbeName = z.string().min(1).max(320);

/** What the target appliance looks at: whether somebody can be reached from where it is, or what a name leads to there. */
export const Probe = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('reach'),
    name: ProbeName,
    host: ReachableHost,
    port: z.int().min(1).max(65535),
  }),
  z.strictObject({
    kind: z.literal('resolve'),
    name: ProbeName,
    question: z.string().min(1).max(253).describe('a host name, or an IPv4 address for PTR'),
    type: z.enum(['A', 'PTR']),
  }),
]);
export type Probe = z.infer<typeof Probe>;

/**
 * What became of a connection. `refused`: an answer came back, so packets pass both ways although nothing listens;
 * `silent`: none came in time; `unreachable`: the network said that there is no way; `notRun`: nobody could look.
 */
const reach = ['open', 'refused', 'silent', 'unreachable', 'notRun'] as const;
export const Reached = z.strictObject({ seen: z.enum(reach), detail: z.string().max(500) });
export type Reached = z.infer<typeof Reached>;

/** What a probe saw; `answers`: what a name leads to, none where nothing has that name. */
export const ProbeResult = z.strictObject({
  name: ProbeName,
  seen: z.enum([...reach, 'answers']),
  answers: z.array(z.string().max(253)).max(20).default([]),
  detail: z.string().max(500),
});
export type ProbeResult = z.infer<typeof ProbeResult>;
