// The store on Cosmos DB for NoSQL. Uses the containers that infrastructure has made; never makes or changes one.
import { CosmosClient } from '@azure/cosmos';
import type { TokenCredential } from '@azure/identity';
import type { Config } from '../config.ts';
import type { Collection } from './collection.ts';
import type { Store } from './contract.ts';
import { CosmosCollection } from './cosmosCollection.ts';
import { type ContainerName, containers, storeOn } from './storeOn.ts';

/** The store behind an account's endpoint. */
export function createStore(
  config: Pick<Config, 'Cosmos__accountEndpoint' | 'LANDFALL_COSMOS_DATABASE'>,
  credential: TokenCredential,
): Store {
  const client = new CosmosClient({ endpoint: config.Cosmos__accountEndpoint, aadCredentials: credential });
  const database = client.database(config.LANDFALL_COSMOS_DATABASE);
  const names = Object.keys(containers) as ContainerName[];
  const collections = names.map((name): [ContainerName, Collection] => [
    name,
    new CosmosCollection(database.container(name)),
  ]);
  return storeOn(Object.fromEntries(collections) as Record<ContainerName, Collection>);
}
