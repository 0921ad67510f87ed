// What a local vCenter is declared to have, and how it refuses.

export interface DeclaredUser {
  name: string;
  password: string;
  /** Granted on everything; all privileges if absent. */
  privileges?: string[];
}

export interface DeclaredDisk {
  key: number;
  label: string;
  capacity: number;
  file: string;
}

export interface DeclaredMachine {
  id: string;
  name: string;
  power?: 'POWERED_ON' | 'POWERED_OFF' | 'SUSPENDED';
  /** Whether VMware Tools runs, and whether the guest heeds it; `running` if absent. */
  tools?: 'running' | 'deaf' | 'absent';
  disks: DeclaredDisk[];
  nics: { key: number; label: string }[];
  changeTracking?: boolean;
}

export interface DeclaredItem {
  id: string;
  name: string;
  /** Names of the networks that its OVF asks for. */
  networks: string[];
  disks: DeclaredDisk[];
}

/** What a machine of an item runs, from power on to power off; `guestInfo` is what `guestinfo.*` says. */
export type Image = (machine: { id: string; name: string; guestInfo: Record<string, string> }) => {
  stop(): Promise<void>;
};

export interface VcenterOptions {
  port?: number;
  log?: (line: string) => void;
  users: DeclaredUser[];
  hosts: { id: string; name: string }[];
  machines: DeclaredMachine[];
  libraries?: { id: string; name: string; items: DeclaredItem[] }[];
  resourcePools?: string[];
  folders?: string[];
  datastores?: string[];
  networks?: string[];
  /** By name of a library's item. */
  images?: Record<string, Image>;
  /** How long a task takes, and a guest to shut down. */
  taskMs?: number;
  shutdownMs?: number;
  /** How many bytes of a disk one answer about changes covers. */
  changesPerAnswer?: number;
}

/** A refusal, by the error's type in the automation API and by the fault's in the other. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly fault: string;
  constructor(status: number, type: string, fault: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
    this.fault = fault;
  }
}

export const notFound = (what: string): Refusal =>
  new Refusal(404, 'NOT_FOUND', 'ManagedObjectNotFound', `There is no ${what}.`);
export const invalid = (why: string): Refusal => new Refusal(400, 'INVALID_ARGUMENT', 'InvalidArgument', why);
export const alreadySo = (why: string): Refusal =>
  new Refusal(400, 'ALREADY_IN_DESIRED_STATE', 'InvalidPowerState', why);
export const notNow = (why: string): Refusal => new Refusal(400, 'NOT_ALLOWED_IN_CURRENT_STATE', 'InvalidState', why);
export const notAllowed = (privilege: string): Refusal =>
  new Refusal(403, 'UNAUTHORIZED', 'NoPermission', `The user lacks the privilege ${privilege}.`);
export const unauthenticated = (): Refusal =>
  new Refusal(401, 'UNAUTHENTICATED', 'NotAuthenticated', 'There is no such session.');

/** What this simulator does not do is refused by name. */
export const notSimulated = (what: string): Refusal =>
  new Refusal(501, 'UNSUPPORTED', 'NotSupported', `NotSimulated: the local vCenter does not do ${what}.`);
