// Numbers of the NBD protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md

export const magic = {
  /** "NBDMAGIC" */
  init: 0x4e42444d41474943n,
  /** "IHAVEOPT" */
  option: 0x49484156454f5054n,
  optionReply: 0x3e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const;

export const handshake = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const option = {
  abort: 2,
  startTls: 5,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

export const reply = { ack: 1, info: 3, metaContext: 4, error: 0x8000_0000 } as const;

/** What a server says that refuses an option. */
export const refusal: Readonly<Record<number, string>> = {
  1: 'it does not know the option',
  2: 'its policy forbids it',
  3: 'it says that the option is malformed',
  4: 'it is not supported on its platform',
  5: 'it wants TLS',
  6: 'it has no such export',
  7: 'it is shutting down',
  8: 'it wants to be told a block size',
  9: 'the request is too large for it',
};
export const unsupported = 1;

export const info = { export: 0, blockSize: 3 } as const;

export const command = { read: 0, disconnect: 2, blockStatus: 7 } as const;

export const chunk = { none: 0, data: 1, hole: 2, blockStatus: 5, error: 0x8001, errorOffset: 0x8002 } as const;
export const chunkDone = 1;
/** Types with this bit are errors, also those that nobody knows yet. */
export const chunkError = 0x8000;

export const allocation = { context: 'base:allocation', zero: 2 } as const;
export const dirtyBitmap = { prefix: 'qemu:dirty-bitmap:', dirty: 1 } as const;

const errors: Readonly<Record<number, string>> = {
  1: 'not permitted',
  5: 'input/output error',
  12: 'out of memory',
  22: 'invalid argument',
  28: 'no space left',
  75: 'value too large',
  95: 'not supported',
  108: 'the server is shutting down',
};

/** The server did what the protocol forbids: nothing that it says is believed any more. */
export class NbdViolation extends Error {}

/** The connection is gone; another one may do better. */
export class NbdLost extends Error {}

/** The server refuses what it was asked for. */
export class NbdRefused extends Error {}

/** A command failed on the server. */
export class NbdError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(`${errors[code] ?? `error ${code}`}${message && `: ${message}`}`);
    this.code = code;
  }
}
