// Everything that a wave needs around it: a local Azure with the app in it, a laboratory with sources, and two people.
import { Api } from './api.ts';
import { AzureView } from './azure.ts';
import { LocalCloud } from './cloud.ts';
import type { Values } from './definitions.ts';
import { requireDiskTools } from './diskTools.ts';
import { Laboratory, type LabServer, labTools } from './lab.ts';
import { Person } from './people.ts';
import { appliancesOf, endRecorded } from './processes.ts';

export class Stage {
  readonly folder: string;
  readonly cloud: LocalCloud;
  readonly lab: Laboratory;
  /** Plans, operates and administrates; also holds a role in the subscription. */
  readonly ada: Person;
  /** Approves. */
  readonly grace: Person;
  readonly asAda: Api;
  readonly asGrace: Api;

  private constructor(folder: string, cloud: LocalCloud, lab: Laboratory) {
    this.folder = folder;
    this.cloud = cloud;
    this.lab = lab;
    const issuer = () => cloud.endpoints['identity.issuer'];
    const host = () => cloud.endpoints['host.endpoint'];
    this.ada = new Person('ada', issuer);
    this.grace = new Person('grace', issuer);
    this.asAda = new Api(host, this.ada);
    this.asGrace = new Api(host, this.grace);
  }

  /** Makes the disks, starts everything, and returns when everything answers. On failure nothing is left running. `resources`: a file of what exists. */
  static async set(
    folder: string,
    servers: readonly LabServer[],
    say: (text: string) => void = () => {},
    env: Record<string, string> = {},
    resources?: string,
  ): Promise<Stage> {
    requireDiskTools();
    const cloud = new LocalCloud(folder, env, resources);
    try {
      const making = Laboratory.make(folder, servers, ({ id, diskMiB, dataMiB }) =>
        say(`made the disk of ${id}: ext4, ${diskMiB} MiB, ${dataMiB} MiB of it random`),
      );
      const starting = cloud
        .start()
        .then(() => say(`the local Azure runs, with the app at ${cloud.endpoints['host.endpoint']}`));
      // Also when one fails: what was begun must not go on behind a clean-up.
      await Promise.allSettled([making, starting]);
      await starting;
      const lab = await making;
      await lab.start();
      say(`the laboratory runs ${servers.map(({ id }) => id).join(', ')} at ${lab.endpoint}`);
      return new Stage(folder, cloud, lab);
    } catch (error) {
      await endRecorded(folder);
      throw error;
    }
  }

  /** The target environment as ada sees it. */
  azure({ subscriptionId, resourceGroup }: { subscriptionId: string; resourceGroup: string }): AzureView {
    return new AzureView(this.cloud.endpoints['arm.endpoint'], this.ada, subscriptionId, resourceGroup);
  }

  /** What the placeholders of definitions stand for here. */
  values(): Values {
    const ports = Object.entries(this.lab.ports).map(([id, port]) => [`port.${id}`, port] as const);
    return {
      node: process.execPath,
      'lab.endpoint': this.lab.endpoint,
      'lab.dir': this.lab.dir,
      'lab.tools': labTools,
      ...Object.fromEntries(ports),
    };
  }

  /** The processes of all appliances, by where they keep their state. */
  appliances() {
    return appliancesOf(this.folder);
  }

  /** Stops everything, sources first: they end with their laboratory. */
  async strike(): Promise<void> {
    await this.lab.stop();
    await this.cloud.stop();
    await endRecorded(this.folder);
  }

  /** Lets the driver end while all of it runs on. */
  leave(): void {
    this.lab.leave();
    this.cloud.leave();
  }
}
