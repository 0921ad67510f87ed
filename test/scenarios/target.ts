// What an administrator finds in the target environment, with the Azure SDKs.
import type { Stage } from '../../examples/harness/stage.ts';
import { createClients } from '../../shared/azure/clients.ts';
import type { Environment } from '../../shared/model/environment.ts';

export class Target {
  readonly #clients: ReturnType<typeof createClients>;
  readonly #environment: Environment;

  constructor(stage: Stage, environment: Environment) {
    this.#clients = createClients(stage.cloud.endpoints['arm.endpoint'], stage.ada);
    this.#environment = environment;
  }

  /** What carries a wave's tag, as `type name`; what the environment's appliance consists of is not counted. */
  async madeFor(waveId: string): Promise<string[]> {
    const { subscriptionId, resourceGroup, id } = this.#environment;
    const filter = `tagName eq 'landfall:wave' and tagValue eq '${waveId}'`;
    const found: string[] = [];
    for await (const resource of this.#clients
      .resources(subscriptionId)
      .resources.listByResourceGroup(resourceGroup, { filter }))
      if (resource.tags?.['landfall:workload'] !== id) found.push(`${resource.type} ${resource.name}`);
    return found.sort();
  }

  /** The name of the security group that a machine stands behind; undefined when there is no such machine. */
  async securityGroupOf(machine: string): Promise<string | undefined> {
    const { subscriptionId, resourceGroup } = this.#environment;
    try {
      const nic = await this.#clients.network(subscriptionId).networkInterfaces.get(resourceGroup, `${machine}-nic`);
      return nic.networkSecurityGroup?.id?.split('/').at(-1);
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode === 404) return undefined;
      throw error;
    }
  }
}
