/** A failure that people can act on: what an event says when a command can't be done. */
export class Problem extends Error {
  readonly code: string;
  readonly suggestion: string;
  constructor(code: string, message: string, suggestion: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Problem';
    this.code = code;
    this.suggestion = suggestion;
  }
}

/** The appliance can't go on and a restart won't help: the supervisor must not try (EX_CONFIG of sysexits.h). */
export class FatalProblem extends Error {
  static readonly exitCode = 78;
}

/** The appliance is going down: work stays as it is and goes on at the next start. */
export class Stopping extends Error {}
