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
  return { id, _rid: rid, _self: `dbs/${rid}/`, _etag: etagOf(ts), _colls: 'colls/', _users: 'users/', _ts: ts };
}

export function containerResource(container: Container) {
  const { definition, rid, ts } = container;
  return {
    ...definition,
    _rid: rid,
    _ts: ts,
    _self: containerLink(container),
    _etag: etagOf(ts),
    _docs: 'docs/',
    _sprocs: 'sprocs/',
    _triggers: 'triggers/',
    _udfs: 'udfs/',
    _conflicts: 'conflicts/',
  };
}

export function rangesReply(container: Container): Reply {
  const { rid, ts, lsn } = container;
  const ranges = container.ranges.map(({ id, min, max, parents }) => ({
    id: String(id),
    _rid: rid,
    _self: `${containerLink(container)}pkranges/${id}/`,
    _etag: etagOf(ts),
    _ts: ts,
    minInclusive: min,
    maxExclusive: max,
    ridPrefix: id,
    throughputFraction: 1 / container.ranges.length,
    status: 'online',
    parents: parents.map(String),
    lsn,
  }));
  // Another list has another last id: an id is never given twice.
  const etag = `"${Math.max(...container.ranges.map(({ id }) => id))}-${ts}"`;
  return {
    status: 200,
    headers: { etag, 'x-ms-item-count': String(ranges.length), 'x-ms-content-path': rid },
    body: { _rid: rid, PartitionKeyRanges: ranges, _count: ranges.length },
  };
}

export const containerLink = ({ databaseRid, rid }: Container) => `dbs/${databaseRid}/colls/${rid}/`;

export const etagOf = (ts: number) => `"00000000-0000-0000-0000-${ts.toString(16).padStart(8, '0')}0000"`;
