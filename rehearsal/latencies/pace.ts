import type { Chance } from '../../local/durable/chance.ts';
import type { Pace } from '../world/pace.ts';
import type { Latencies } from './latencies.ts';

const megabyte = 1024 * 1024;

/** A pace of these latencies, with its spread drawn by chance. */
export function paceOf(latencies: Latencies, chance: Chance): Pace {
  const about = (seconds: number): number =>
    Math.round(seconds * 1000 * (1 + latencies.spread * (2 * chance.next() - 1)));
  return {
    azure: (kind, sizeBytes) => {
      if (kind.startsWith('delete')) return about(latencies.deleteSeconds);
      if (kind === 'createVirtualMachine') return about(latencies.bootSeconds);
      return about(latencies.createSeconds + sizeBytes / megabyte / latencies.importMegabytesPerSecond);
    },
    start: (kind) => about(kind === 'agent' ? latencies.agentStartSeconds : latencies.applianceStartSeconds),
    command: ({ type, data }) => {
      const services = 'services' in data ? data.services.length : 0;
      if (type === 'landfall.services.stop') return about(latencies.serviceStopSeconds * services);
      if (type === 'landfall.services.start') return about(latencies.serviceStartSeconds * services);
      if (type === 'landfall.check.run' || type === 'landfall.probe.run') return about(latencies.checkSeconds);
      return about(latencies.commandSeconds);
    },
    sync: (_kind, bytes) => about(latencies.syncSeconds + bytes / megabyte / latencies.syncMegabytesPerSecond),
    shutdown: () => about(latencies.shutdownSeconds),
  };
}

/** Bytes that a disk changes between two syncs that are so many milliseconds apart. */
export function churned({ churnMegabytesPerHour }: Latencies, milliseconds: number): number {
  return Math.round(((churnMegabytesPerHour * megabyte) / 3_600_000) * Math.max(0, milliseconds));
}

/** One pace, and another one as soon as something is so. */
export function paceThat(before: Pace, after: Pace, isSo: () => boolean): Pace {
  const now = () => (isSo() ? after : before);
  return {
    azure: (...operation) => now().azure(...operation),
    start: (kind) => now().start(kind),
    command: (command) => now().command(command),
    sync: (...sync) => now().sync(...sync),
    shutdown: () => now().shutdown(),
  };
}
