// Virtual machines in a vCenter.
import { z } from 'zod';
import type { Source } from '../../model/source.ts';
import type { VsphereConnection } from '../connections.ts';
import type { Host } from '../contract.ts';
import { Nothing, type Vcenter, VcenterRefusal } from './client.ts';
import { inVcenter } from './failures.ts';
import { idOf, vmOf } from './machine.ts';
import { vsphereSnapshots } from './snapshots.ts';

/** https://developer.broadcom.com/xapis/vsphere-automation-api/latest/vcenter/api/vcenter/vm/vm/get/ */
const Vm = z.looseObject({
  power_state: z.enum(['POWERED_ON', 'POWERED_OFF', 'SUSPENDED']),
  disks: z.record(z.string(), z.looseObject({ capacity: z.int().nonnegative().default(0) })),
  nics: z.record(z.string(), z.looseObject({ state: z.string(), start_connected: z.boolean() })),
});
type Vm = z.infer<typeof Vm>;

/** The host of the virtual machines of one vCenter. */
export function vsphereHost(connection: VsphereConnection, vcenter: Vcenter): Host {
  const on = <T>(source: Source, work: (vm: string) => Promise<T>): Promise<T> => {
    const vm = vmOf(source);
    return inVcenter(connection.url, vm, () => work(vm));
  };
  const look = (vm: string): Promise<Vm> => vcenter.api('GET', `/vcenter/vm/${vm}`, Vm);
  const power = async (vm: string, action: 'start' | 'stop'): Promise<void> => {
    const isSo = (await look(vm)).power_state === (action === 'start' ? 'POWERED_ON' : 'POWERED_OFF');
    if (!isSo) await unlessSo(vcenter.api('POST', `/vcenter/vm/${vm}/power?action=${action}`, Nothing));
  };
  return {
    inspect: (source) =>
      on(source, async (vm) => {
        const { power_state: state, disks, nics } = await look(vm);
        // A suspended machine serves nobody, and is a click away from serving again.
        const isOff = state === 'POWERED_OFF';
        const isConnected = ({ state: link, start_connected: later }: Vm['nics'][string]): boolean =>
          isOff ? later : link === 'CONNECTED';
        return {
          power: isOff ? 'off' : 'on',
          nicConnected: Object.values(nics).some(isConnected),
          disks: Object.entries(disks).map(([key, { capacity }]) => ({ id: idOf(source, key), sizeBytes: capacity })),
        };
      }),
    shutDown: (source) =>
      on(source, async (vm) => {
        try {
          await unlessSo(vcenter.api('POST', `/vcenter/vm/${vm}/guest/power?action=shutdown`, Nothing));
        } catch (error) {
          // Without VMware Tools nobody can be asked: as refused as by a guest that heeds nobody, and the plan says what then.
          if (!(error instanceof VcenterRefusal && error.kind === 'SERVICE_UNAVAILABLE')) throw error;
        }
      }),
    powerOff: (source) => on(source, (vm) => power(vm, 'stop')),
    powerOn: (source) => on(source, (vm) => power(vm, 'start')),
    setNic: (source, connected) =>
      on(source, async (vm) => {
        const { power_state: state, nics } = await look(vm);
        for (const [nic, { state: link, start_connected: later }] of Object.entries(nics)) {
          const path = `/vcenter/vm/${vm}/hardware/ethernet/${nic}`;
          // How it is once it is powered on; one that is on is switched besides.
          if (later !== connected) await vcenter.api('PATCH', path, Nothing, { body: { start_connected: connected } });
          if (state === 'POWERED_ON' && (link === 'CONNECTED') !== connected)
            await unlessSo(vcenter.api('POST', `${path}?action=${connected ? 'connect' : 'disconnect'}`, Nothing));
        }
      }),
    snapshots: vsphereSnapshots(connection, vcenter),
  };
}

/** What is so already, because somebody else was faster or the answer was lost, is done. */
async function unlessSo(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!(error instanceof VcenterRefusal && error.kind === 'ALREADY_IN_DESIRED_STATE')) throw error;
  }
}
