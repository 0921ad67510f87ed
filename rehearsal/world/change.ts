// One change of the modelled world: what people would see, and what it happened to.

export interface Change {
  /** In words, such as `db-01 off`; the same words for the same change. */
  what: string;
  /** `source`: a machine on the source side, and `snapshot`: one of it, by its source's id. The others by name. */
  kind:
    | 'source'
    | 'snapshot'
    | 'resource'
    | 'record'
    | 'pool'
    | 'webhook'
    | 'script'
    | 'monitoring'
    | 'roles'
    | 'worker'
    | 'blob'
    | 'sync';
  id: string;
}

export type Changed = (change: Change) => void;
