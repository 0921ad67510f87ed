// The control channel of a running machine: a socket in its folder, one JSON line each way. A socket's path may have 107
// bytes only (unix(7)), and folders of tests are deep: who serves stands in the folder, who asks goes by a descriptor of it.
import { once } from 'node:events';
import { chmodSync, closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/** What may be asked of a service; `mode` shows whether it starts with its machine. */
export const serviceCommands = ['start', 'stop', 'status', 'mode', 'automatic', 'manual'] as const;
export type ServiceCommand = (typeof serviceCommands)[number];

export const ControlRequest = z.discriminatedUnion('command', [
  z.strictObject({ command: z.enum(serviceCommands), service: z.string() }),
  z.strictObject({ command: z.enum(['take', 'release']), disk: z.string() }),
]);
export type ControlRequest = z.infer<typeof ControlRequest>;

export const ControlAnswer = z.strictObject({
  ok: z.boolean(),
  /** Says what happened or why it did not; for `take` the copy's path, for `mode` the start mode. */
  text: z.string(),
  running: z.boolean().optional(),
});
export type ControlAnswer = z.infer<typeof ControlAnswer>;

const socketName = 'control.sock';

/** Asks the machine with this folder; undefined when the machine is off, or goes off meanwhile. */
export async function askMachine(machineDir: string, request: ControlRequest): Promise<ControlAnswer | undefined> {
  const folder = openSync(machineDir, 'r');
  const socket = connect(`/proc/self/fd/${folder}/${socketName}`);
  const said = text(socket).catch(() => '');
  socket.write(`${JSON.stringify(request)}\n`);
  const line = await said;
  closeSync(folder);
  return line === '' ? undefined : ControlAnswer.parse(JSON.parse(line));
}

/** Answers requests for the machine whose folder this process stands in. */
export async function serveControl(answer: (request: ControlRequest) => Promise<ControlAnswer>): Promise<Server> {
  rmSync(socketName, { force: true });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).once('line', (line) => {
      const respond = async () => answer(ControlRequest.parse(JSON.parse(line)));
      respond()
        .catch(
          (error: unknown): ControlAnswer => ({
            ok: false,
            text: error instanceof Error ? error.message : String(error),
          }),
        )
        .then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
    });
  });
  server.listen(socketName);
  await once(server, 'listening');
  chmodSync(socketName, 0o600);
  return server;
}
