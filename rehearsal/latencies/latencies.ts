// How fast the world is that a rehearsal models: a profile that people write, or what recorded runs have shown.
import { z } from 'zod';

const Seconds = z
  .number()
  .nonnegative()
  .max(30 * 86_400);
const Rate = z.number().positive();

export const Latencies = z.strictObject({
  importMegabytesPerSecond: Rate.default(60).describe('a managed disk from a staging blob'),
  createSeconds: Seconds.default(5).describe('a network interface, a security group, a small disk'),
  bootSeconds: Seconds.default(60).describe('a machine, from the request until it runs'),
  deleteSeconds: Seconds.default(20),
  applianceStartSeconds: Seconds.default(180).describe('target appliance or worker, until it has enrolled'),
  agentStartSeconds: Seconds.default(20),
  commandSeconds: Seconds.default(2).describe('a description of a source'),
  checkSeconds: Seconds.default(15).describe('all checks of one workload'),
  serviceStopSeconds: Seconds.default(8).describe('each service'),
  serviceStartSeconds: Seconds.default(8).describe('each service'),
  shutdownSeconds: Seconds.default(45),
  syncMegabytesPerSecond: Rate.default(100),
  syncSeconds: Seconds.default(10).describe('each sync, beside its bytes'),
  churnMegabytesPerHour: z.number().nonnegative().default(200).describe('of each disk'),
  people: z
    .strictObject({
      gateMinutes: z.number().nonnegative().default(20),
      questionMinutes: z.number().nonnegative().default(15),
    })
    .prefault({}),
  /** Everything takes between 1 - spread and 1 + spread of it, drawn by the seed. */
  spread: z.number().min(0).max(0.9).default(0.2),
});
export type Latencies = z.infer<typeof Latencies>;
