// A few lines of QEMU's control protocol: one command at a time.
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const Message = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ desc: z.string() }) }),
  z.object({ QMP: z.unknown() }),
  z.object({ event: z.string() }),
]);

export class Qmp {
  readonly #socket: Socket;
  readonly #messages: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#messages = createInterface({ input: socket })[Symbol.asyncIterator]();
  }

  static async open(path: string): Promise<Qmp> {
    const qmp = new Qmp(connect(path));
    await qmp.#next();
    await qmp.execute('qmp_capabilities');
    return qmp;
  }

  async execute(command: string, parameters: object = {}): Promise<unknown> {
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    for (;;) {
      const message = await this.#next();
      if ('return' in message) return message.return;
      if ('error' in message) throw new Error(`${command}: ${message.error.desc}`);
    }
  }

  /** Asks until the list that a query answers lacks an id. */
  async gone(query: string, id: string): Promise<void> {
    const Listed = z.array(z.object({ id: z.string() }));
    while (Listed.parse(await this.execute(query)).some((each) => each.id === id))
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  close(): void {
    this.#socket.destroy();
  }

  async #next(): Promise<z.infer<typeof Message>> {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error('QEMU has closed its control socket');
    return Message.parse(JSON.parse(value));
  }
}
