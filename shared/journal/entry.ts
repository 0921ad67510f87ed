// An entry of a wave's own journal: what belongs to no single workload. Workloads have their events.

/** Who says something, and why, where the change itself does not tell. */
export interface Said {
  /** `user:{subject}`, or who of the platform. */
  by?: string;
  reason?: string;
  operationId?: string;
}

/** What was done, by whom, why, and what it changed. Same form as a workload's events. */
export interface WaveEntry {
  /** Unique per wave. */
  id: string;
  time: string;
  /** `user:{subject}` or `platform`. */
  source: string;
  type: string;
  operationId?: string | undefined;
  data: Readonly<Record<string, unknown>>;
}

/** An entry whose id follows from its place, because it is stored together with what it tells about. */
export type Told = Omit<WaveEntry, 'id' | 'time'> & Partial<Pick<WaveEntry, 'id' | 'time'>>;
