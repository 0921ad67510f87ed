// What several files of the contract create.
import { PartitionKeyDefinitionVersion, PartitionKeyKind } from '@azure/cosmos';

export const hierarchical = {
  paths: ['/waveId', '/workloadId'],
  kind: PartitionKeyKind.MultiHash,
  version: PartitionKeyDefinitionVersion.V2,
};
