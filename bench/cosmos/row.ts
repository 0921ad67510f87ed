/** One measured operation. */
export interface Row {
  what: string;
  operations: number;
  seconds: number;
  /** Milliseconds of one operation, from call to answer. */
  p50: number;
  p99: number;
  /** Processor time of the client's process and of the server's; of SQLite alone there is one process. */
  clientCpuSeconds: number;
  serverCpuSeconds: number | undefined;
}
