// Where sources live. Power and NIC go through the source's host, not through its agent: a machine that is off cannot
// report that it is off.
import type { Site } from '../model/environment.ts';
import type { Source } from '../model/source.ts';

export interface MachineState {
  power: 'on' | 'off';
  /** Whether any of its network interfaces has a link. */
  nicConnected: boolean;
  /** What the host knows of its disks, by the ids of the inventory where they are in it. */
  disks: { id: string; sizeBytes: number }[];
}

/** A range of a disk, in bytes. */
export interface Area {
  start: number;
  length: number;
}

/** One disk as it was at one moment. */
export interface FrozenDisk {
  id: string;
  /**
   * Where it is read: at an NBD URI (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/uri.md), or through VMware's
   * VDDK, whose plugin of nbdkit takes these names (https://libguestfs.org/nbdkit-vddk-plugin.1.html).
   */
  at: { nbd: string } | { vddk: { vm: string; snapshot: string; file: string } };
  /** What has changed since the mark that was given, where that is known: a metadata context of the NBD export, or areas. */
  changed?: { context: string } | { areas: Area[] };
  /** Given to a later snapshot, it tells what changes from here on. Absent where the host keeps no track. */
  mark?: string;
}

/** The interface of one platform. Whatever it changes may be asked for twice. */
export interface Host {
  inspect(source: Source): Promise<MachineState>;
  /** Asks the guest to shut down; returns at once. */
  shutDown(source: Source): Promise<void>;
  /** Cuts the power. */
  powerOff(source: Source): Promise<void>;
  powerOn(source: Source): Promise<void>;
  /** Connects or disconnects all of its network interfaces. */
  setNic(source: Source, connected: boolean): Promise<void>;
  /** Absent where the host cannot freeze disks. */
  readonly snapshots?: Snapshots;
  /** Absent where the host does not reach into the guest: then people put agents there. */
  readonly agents?: Agents;
}

export interface Snapshots {
  /** Freezes all disks of a machine at one moment, crash-consistent, under a name of ours. `since`: marks, by disk id. */
  take(source: Source, name: string, since?: Readonly<Record<string, string>>): Promise<FrozenDisk[]>;
  /** Lets one go; tolerates that there is none. */
  release(source: Source, name: string): Promise<void>;
}

export interface Agents {
  /** Puts an agent onto the source's OS with its bootstrap; it enrols by itself. */
  install(source: Source, bootstrap: string): Promise<void>;
  remove(source: Source): Promise<void>;
  installed(source: Source): Promise<boolean>;
}

/** Something that was looked at, for people. */
export interface HostCheck {
  name: string;
  passed: boolean;
  detail: string;
}

/** What a site offers for its worker. */
export interface SiteHost {
  deployWorker(site: Site, name: string, bootstrap: string): Promise<void>;
  removeWorker(site: Site, name: string): Promise<void>;
  workerPresent(site: Site, name: string): Promise<boolean>;
  /** Whether we may do there what we will have to do, for the worker and for these sources; absent where nobody asks. */
  allows?(site: Site, sources: readonly Source[]): Promise<HostCheck[]>;
  /** What its worker must get through to; absent where the worker is beside the disks. */
  reach?(site: Site): Promise<{ host: string; port: number }[]>;
}

export interface Hosts {
  /** The implementation for a source; undefined where nobody but people can be asked. */
  of(source: Source): Host | undefined;
  ofSite(site: Site): SiteHost | undefined;
}
