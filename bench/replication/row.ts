/** One measured run. */
export interface Row {
  what: string;
  /** What the rate is of. */
  bytes: number;
  seconds: number;
  /** Processor time of the program with all that it starts, and of the page endpoint. */
  cpuSeconds: number;
  serverCpuSeconds: number;
  /** Peak proportional set size of the program with all that it starts. */
  megabytes: number;
  /** What the engine counted: bytes read of the source and written to the blob, and requests for that. */
  readBytes?: number;
  writtenBytes?: number;
  requests?: number;
}
