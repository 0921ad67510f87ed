// What an agent on a source will have to run there: every command that the inventory names, as it will be asked for.
import type { Source } from './source.ts';

type Named = Pick<Source, 'services' | 'snapshot' | 'quiesce' | 'disks'>;

/** The commands of a source, each once, word for word; those of its snapshots with the id of every disk behind them. */
export function agentCommands({ services, snapshot, quiesce, disks }: Named): string[][] {
  const ofServices = services.flatMap(({ start, stop, status, startMode }) => [
    ...[start, stop, status],
    ...(startMode === undefined ? [] : [startMode.show, startMode.automatic, startMode.manual]),
  ]);
  const ofDisks =
    snapshot === undefined
      ? []
      : disks.flatMap(({ id }) => [
          [...snapshot.take, id],
          [...snapshot.release, id],
        ]);
  const ofApplications = quiesce === undefined ? [] : [quiesce.freeze, quiesce.thaw];
  const all = [...ofServices, ...ofDisks, ...ofApplications];
  return [...new Map(all.map((argv) => [JSON.stringify(argv), argv])).values()];
}
