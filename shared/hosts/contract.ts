// Where sources live. Power and NIC go through the source's host, not through its agent: a machine that is off cannot
// report that it is off.
import type { Site } from '../model/environment.ts';
import type { Source } from '../model/source.ts';

export interface MachineState {
  power: 'on' | 'off';
  nicConnected: boolean;
  disks: { id: string; sizeBytes: number }[];
}

/** The interface of one platform. */
export interface Host {
  inspect(source: Source): Promise<MachineState>;
  /** Asks the guest to shut down; returns at once. */
  shutDown(source: Source): Promise<void>;
  /** Cuts the power. */
  powerOff(source: Source): Promise<void>;
  powerOn(source: Source): Promise<void>;
  setNic(source: Source, connected: boolean): Promise<void>;
  /** Puts an agent onto the source's OS with its bootstrap (idempotent); it enrols by itself. */
  installAgent(source: Source, bootstrap: string): Promise<void>;
  removeAgent(source: Source): Promise<void>;
  agentInstalled(source: Source): Promise<boolean>;
}

/** What a site offers for its worker. */
export interface SiteHost {
  deployWorker(site: Site, name: string, bootstrap: string): Promise<void>;
  removeWorker(site: Site, name: string): Promise<void>;
  workerPresent(site: Site, name: string): Promise<boolean>;
}

export interface Hosts {
  /** The implementation for a source; throws `invalidInput` for a host kind without one (`byHand`). */
  of(source: Source): Host;
  ofSite(site: Site): SiteHost;
}
