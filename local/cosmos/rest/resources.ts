// The resource documents of the account, its databases, containers and partition key ranges.
import type { Container, Database } from '../store/catalog.ts';
import type { Reply, Request } from './message.ts';

const QUERY_ENGINE = {
  maxSqlQueryInputLength: 262144,
  maxJoinsPerSqlQuery: 5,
  maxLogicalAndPerSqlQuery: 500,
  maxLogicalOrPerSqlQuery: 500,
  sqlAllowTop: true,
  sqlAllowAggregateFunctions: true,
};

export function accountReply({ origin }: Request): Reply {
  // The client follows these addresses, so they repeat the one that it came by.
  const location = { name: 'Local', databaseAccountEndpoint: `${origin}/` };
  const body = {
    _self: '',
    id: 'local-cosmos',
    _rid: 'local-cosmos',
    media: '//media/',
    addresses: '//addresses/',
    _dbs: '//dbs/',
    writableLocations: [location],
    readableLocations: [location],
    enableMultipleWriteLocations: false,
    userReplicationPolicy: { asyncReplication: false, minReplicaSetSize: 1, maxReplicasetSize: 4 },
    userConsistencyPolicy: { defaultConsistencyLevel: 'Session' },
    systemReplicationPolicy: { minReplicaSetSize: 1, maxReplicasetSize: 4 },
    readPolicy: { primaryReadCoefficient: 1, secondaryReadCoefficient: 1 },
    queryEngineConfiguration: JSON.stringify(QUERY_ENGINE),
  };
  return { status: 200, body };
}

export function databaseResource({ id, rid, ts }: Database) {
  return { id, _rid: rid, _self: `dbs/${rid}/`, _etag: etag(ts), _colls: 'colls/', _users: 'users/', _ts: ts };
}

export function containerResource({ definition, databaseRid, rid, ts }: Container) {
  return {
    ...definition,
    _rid: rid,
    _ts: ts,
    _self: `dbs/${databaseRid}/colls/${rid}/`,
    _etag: etag(ts),
    _docs: 'docs/',
    _sprocs: 'sprocs/',
    _triggers: 'triggers/',
    _udfs: 'udfs/',
    _conflicts: 'conflicts/',
  };
}

/** One range holds everything: the local server never splits. */
export function rangesReply(container: Container): Reply {
  const range = {
    id: '0',
    _rid: container.rid,
    _self: `dbs/${container.databaseRid}/colls/${container.rid}/pkranges/0/`,
    _etag: etag(container.ts),
    _ts: container.ts,
    minInclusive: '',
    maxExclusive: 'FF',
    ridPrefix: 0,
    throughputFraction: 1,
    status: 'online',
    parents: [],
    lsn: container.lsn,
  };
  return {
    status: 200,
    headers: { etag: etag(container.ts), 'x-ms-item-count': '1', 'x-ms-content-path': container.rid },
    body: { _rid: container.rid, PartitionKeyRanges: [range], _count: 1 },
  };
}

const etag = (ts: number) => `"00000000-0000-0000-0000-${ts.toString(16).padStart(8, '0')}0000"`;
