// Machines that are QEMU processes with a control socket and no manager above them.
import type { Source } from '../../model/source.ts';
import type { QemuConnection } from '../connections.ts';
import type { Host } from '../contract.ts';
import { disksOf, endedOf, isMarked, marks, nicsOf, powerOf, setMark, withMachine } from './machine.ts';
import { type Qmp, QmpGone } from './qmp.ts';
import { qemuSnapshots } from './snapshots.ts';

/** The host of machines behind the sockets of one folder. */
export function qemuHost(connection: QemuConnection): Host {
  const on = <T>(source: Source, talk: (qmp: Qmp) => Promise<T>) => withMachine(connection, source, talk);
  /** Does what only a process that runs can do. */
  const onLiving = async (source: Source, talk: (qmp: Qmp) => Promise<void>): Promise<void> => {
    try {
      await on(source, talk);
    } catch (error) {
      throw error instanceof QmpGone ? endedOf(source, error) : error;
    }
  };
  /** Does what has been done already where the process has ended. */
  const ifLiving = async (source: Source, talk: (qmp: Qmp) => Promise<void>): Promise<void> => {
    try {
      await on(source, talk);
    } catch (error) {
      if (!(error instanceof QmpGone)) throw error;
    }
  };
  const { scratch } = connection;
  return {
    async inspect(source) {
      try {
        return await on(source, async (qmp) => {
          const nics = await nicsOf(qmp);
          return {
            power: await powerOf(qmp),
            nicConnected: nics.length > 0 && !(await isMarked(qmp, marks.unplugged)),
            disks: (await disksOf(qmp, source)).map(({ id, sizeBytes }) => ({ id, sizeBytes })),
          };
        });
      } catch (error) {
        if (error instanceof QmpGone) return { power: 'off', nicConnected: false, disks: [] };
        throw error;
      }
    },
    shutDown: (source) => ifLiving(source, async (qmp) => void (await qmp.execute('system_powerdown'))),
    powerOff: (source) =>
      ifLiving(source, async (qmp) => {
        if ((await powerOf(qmp)) === 'off') return;
        await setMark(qmp, marks.powerCut, true);
        // What the guest had in memory is lost when it is powered on again; what it wrote is flushed to its disks.
        await qmp.execute('stop');
      }),
    powerOn: (source) =>
      onLiving(source, async (qmp) => {
        if ((await powerOf(qmp)) === 'off') {
          await qmp.execute('system_reset');
          await qmp.execute('cont');
        }
        await setMark(qmp, marks.powerCut, false);
      }),
    setNic: (source, connected) =>
      (connected ? onLiving : ifLiving)(source, async (qmp) => {
        for (const name of await nicsOf(qmp)) await qmp.execute('set_link', { name, up: connected });
        await setMark(qmp, marks.unplugged, !connected);
      }),
    ...(scratch === undefined ? {} : { snapshots: qemuSnapshots(connection, scratch) }),
  };
}
