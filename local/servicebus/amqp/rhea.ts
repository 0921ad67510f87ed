// Everything that we know of rhea's insides (rhea@3.0.5, lib/session.js, lib/link.js, lib/connection.js), in one file.
// A client library at heart, rhea decodes user messages (and loses their types), keeps unsettled deliveries in a ring of
// 2048, answers attaches at once and forgets to answer a drain without credit. So the broker takes payloads raw, writes
// transfers and dispositions itself, and holds attaches back. `checkRhea` fails at start if the insides have changed.
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { Scratch } from '../wire/scratch.ts';
import rhea, { type Connection, type Container, type link as RheaLink, type Session as RheaSession } from 'rhea';

const require = createRequire(import.meta.url);

interface FrameFactory {
  flow(fields: object): unknown;
  disposition(fields: object): unknown;
  write_frame(frame: object): Buffer;
}
const frames = require('rhea/lib/frames.js') as FrameFactory;

interface Frame {
  performative: Record<string, unknown>;
  payload?: Buffer;
}

interface Outgoing {
  next_delivery_id: number;
  next_pending_delivery: number;
  next_transfer_id: number;
  window: number;
  transfer_window(): number;
}

interface Incoming {
  next_transfer_id: number;
  max_transfer_id: number;
  window: number;
}

export interface Session extends Omit<RheaSession, 'local'> {
  local: { channel: number };
  outgoing: Outgoing;
  incoming: Incoming;
  output(frame: unknown, payload?: Buffer): void;
  on_transfer(frame: Frame): void;
  on_disposition(frame: Frame): void;
  on_flow(frame: Frame): void;
}

export interface Link extends Omit<RheaLink, 'session' | 'on' | 'source' | 'target'> {
  session: Session;
  source: { address?: string | null; filter?: Record<string, unknown> | null } | null;
  target: { address?: string | null } | null;
  local: { handle: number; attach: Record<string, unknown> };
  credit: number;
  delivery_count: number;
  state: { local_open: boolean };
  on_flow(frame: Frame): void;
  _process(): void;
  on(event: string, listener: (context: Record<string, unknown>) => void): this;
}

interface Transport {
  header_sent: unknown;
  pending: Buffer[];
  encode(frame: object): void;
  write(socket: Socket): void;
}

interface InnerConnection {
  amqp_transport: Transport;
  output(): void;
  eof(): void;
  accept(socket: Socket): Connection;
  _register(): void;
  _write_frame(channel: number): void;
}
const inner = (connection: Connection): InnerConnection => connection as unknown as InnerConnection;

export const { types, message } = rhea;

// Any non-zero message format makes rhea hand out the payload as it came.
const rawFormat = 0x7fff_fffe;
/** The format of a batch of Service Bus messages. */
export const batchFormat = 0x8001_3700;
const overhead = 64;

/** A container that accepts every SASL mechanism Service Bus clients use; real authentication is `$cbs`. */
export function createContainer(id: string): Container {
  const container = rhea.create_container({ id });
  const mechanisms = (container as unknown as { sasl_server_mechanisms: Record<string, unknown> })
    .sasl_server_mechanisms;
  const accepting = () => ({ outcome: true, start: () => undefined });
  for (const name of ['MSSBCBS', 'ANONYMOUS', 'EXTERNAL', 'PLAIN']) mechanisms[name] = accepting;
  return container;
}

/** Serves one accepted socket. */
export function acceptSocket(container: Container, socket: Socket): Connection {
  const connection = container.create_connection({
    container_id: 'landfall-servicebus',
    max_frame_size: 65_536,
    idle_time_out: 240_000,
    tcp_no_delay: true,
    reconnect: false,
    receiver_options: { autoaccept: false, autosettle: false, credit_window: 1000 },
    sender_options: { autosettle: false, treat_modified_as_released: false },
  } as unknown as Parameters<Container['create_connection']>[0]);
  inner(connection).accept(socket);
  // rhea listens for end and error only; a socket that is destroyed on our side ends with neither.
  socket.on('close', () => inner(connection).eof());
  carryAcknowledgements(connection, socket);
  gatherOutput(inner(connection));
  return connection;
}

/**
 * Writes what one turn has to say at once: rhea writes each frame on its own, a system call and a new heartbeat timer
 * for each. Frames are encoded as they are made, for rhea changes what they are made of afterwards.
 */
function gatherOutput(connection: InnerConnection): void {
  const output = connection.output.bind(connection);
  let isDue = false;
  connection.output = () => {
    if (isDue) return;
    isDue = true;
    process.nextTick(() => {
      isDue = false;
      output();
    });
  };
  const transport = connection.amqp_transport;
  transport.encode = (frame) => void transport.pending.push(frames.write_frame(frame));
  const write = transport.write.bind(transport);
  transport.write = (socket) => {
    const { pending } = transport;
    transport.pending = [];
    // Only the protocol header, if it is not sent yet.
    write(socket);
    socket.cork();
    for (const frame of pending) socket.write(frame);
    socket.uncork();
  };
}

/**
 * The client leaves Nagle's algorithm on: a frame of its that gets no answer makes its next one wait for our delayed
 * ACK, 40 ms. So when input has produced no output by the end of the turn, an empty frame carries the ACK.
 */
function carryAcknowledgements(connection: Connection, socket: Socket): void {
  let wrote = false;
  const write = socket.write.bind(socket) as (...parameters: unknown[]) => boolean;
  socket.write = ((...parameters: unknown[]) => {
    wrote = true;
    return write(...parameters);
  }) as Socket['write'];
  socket.on('data', () => {
    wrote = false;
    setImmediate(() => {
      if (!wrote && connection.is_open() && socket.writable) inner(connection)._write_frame(0);
    });
  });
}

const prepared = new WeakSet<RheaSession>();

/** What a session tells the broker, besides what rhea's events say. */
export interface SessionEvents {
  /** The client settled, or wants to settle, deliveries `first` to `last`. */
  onDisposition(first: number, last: number, settled: boolean, state: unknown): void;
  /** The client opened its window or gave credit. */
  onFlow(): void;
}

/** Makes a session hand out raw payloads and dispositions. Once per session. */
export function prepareSession(session: RheaSession, events: SessionEvents): void {
  if (prepared.has(session)) return;
  prepared.add(session);
  const own = session as Session;
  const { on_transfer, on_flow } = own;
  own.on_transfer = function (this: Session, frame) {
    if (!frame.performative['message_format']) frame.performative['message_format'] = rawFormat;
    frame.payload ??= Buffer.alloc(0);
    on_transfer.call(this, frame);
  };
  // Only our own transfers leave this session, so rhea's book-keeping has no part in their dispositions. Those for
  // incoming deliveries (role of a sender) say nothing new: we settle these ourselves.
  own.on_disposition = (frame) => {
    const { role, first, last, settled, state } = frame.performative;
    if (role !== true || typeof first !== 'number') return;
    events.onDisposition(first, typeof last === 'number' ? last : first, settled === true, state);
  };
  own.on_flow = function (this: Session, frame) {
    on_flow.call(this, frame);
    events.onFlow();
  };
}

/** Keeps the attach reply back until `release`; reports every credit with its drain flag. */
export function holdAttach(link: Link, onCredit: (drain: boolean) => void): { release(onWritten: () => void): void } {
  const write = link._process.bind(link);
  link._process = () => {};
  link.on_flow = (frame) => {
    const { delivery_count, link_credit, drain } = frame.performative;
    link.credit = Number(delivery_count ?? 0) + Number(link_credit ?? 0) - link.delivery_count;
    onCredit(drain === true);
  };
  return {
    release(onWritten) {
      // Not written here: the answer to the session's begin may still be waiting for its turn.
      link._process = () => {
        link._process = write;
        write();
        onWritten();
      };
      inner(link.connection)._register();
    },
  };
}

/** How a client asks for a session: an id, or null for the next one. */
export const sessionFilter = 'com.microsoft:session-filter';

/**
 * Answers an attach with nothing and closes the link with the reason. Where a session was asked for, a moment later: a
 * client that reads both at once takes every refusal for a session that somebody else holds (@azure/service-bus 7.9.5,
 * messageSession). Others must read both at once, or they begin to use the link.
 */
export function refuseAttach(link: Link, error: { condition: string; description: string }): void {
  const isSession = link.is_sender() && sessionFilter in (link.source?.filter ?? {});
  link.local.attach['source'] = null;
  link.local.attach['target'] = null;
  if (isSession) setImmediate(() => link.close(error));
  else link.close(error);
}

/** Whether `payload` may be sent on `link` now. */
export function canSend(link: Link, payload: Buffer): boolean {
  const fragments = Math.ceil(payload.length / maxPayload(link)) || 1;
  // NaN before the peer's first flow, and then nothing may be sent.
  return link.credit > 0 && link.session.outgoing.transfer_window() >= fragments;
}

function maxPayload(link: Link): number {
  const peer = link.connection.max_frame_size;
  return Math.min(peer && peer > 0 ? peer : 65_536, 65_536) - overhead;
}

const scratch = new Scratch();
const [isTrue, isFalse, isNull, isUint, isUint0] = [0x41, 0x42, 0x40, 0x70, 0x43];

/** A transfer frame (AMQP 1.0, part 2, sections 2.3.1 and 2.7.5); only the first of a delivery says which it is. */
function transferFrame(
  link: Link,
  first: { id: number; tag: Buffer; settled: boolean } | undefined,
  more: boolean,
  payload: Buffer,
): Buffer {
  scratch.reset().uint32(0).byte(2).byte(0);
  const { channel } = link.session.local;
  scratch.byte(channel >>> 8).byte(channel & 0xff);
  scratch.byte(0x00).byte(0x53).byte(0x14).byte(0xc0);
  const start = scratch.length;
  scratch.byte(0).byte(6).byte(isUint).uint32(link.local.handle);
  if (first) {
    scratch.byte(isUint).uint32(first.id).byte(0xa0).byte(first.tag.length).bytes(first.tag);
    scratch.byte(isUint0).byte(first.settled ? isTrue : isFalse);
  } else scratch.byte(isNull).byte(isNull).byte(isNull).byte(isNull);
  scratch.byte(more ? isTrue : isFalse);
  scratch.patchByte(scratch.length - start - 1, start).patch(scratch.length + payload.length, 0);
  return scratch.toBuffer(payload);
}

/** Writes one delivery and returns its id. */
export function writeTransfer(link: Link, tag: Buffer, payload: Buffer, settled: boolean): number {
  const { outgoing } = link.session;
  const id = outgoing.next_delivery_id++;
  outgoing.next_pending_delivery++;
  const step = maxPayload(link);
  const connection = inner(link.connection);
  for (let start = 0; start === 0 || start < payload.length; start += step) {
    outgoing.next_transfer_id++;
    const first = start === 0 ? { id, tag, settled } : undefined;
    const part = payload.length > step ? payload.subarray(start, start + step) : payload;
    connection.amqp_transport.pending.push(transferFrame(link, first, start + step < payload.length, part));
  }
  connection.output();
  link.credit--;
  link.delivery_count++;
  return id;
}

/** Answers a drain: all credit is used up, even if there was none. */
export function writeDrained(link: Link): void {
  const { incoming, outgoing } = link.session;
  link.delivery_count += link.credit;
  link.credit = 0;
  incoming.max_transfer_id = incoming.next_transfer_id + incoming.window;
  link.session.output(
    frames.flow({
      next_incoming_id: incoming.next_transfer_id >>> 0,
      incoming_window: incoming.window,
      next_outgoing_id: outgoing.next_transfer_id >>> 0,
      outgoing_window: outgoing.window,
      handle: link.local.handle,
      delivery_count: link.delivery_count,
      link_credit: 0,
      drain: true,
    }),
  );
}

export interface Refusal {
  condition: string;
  description: string;
}

/** Settles deliveries `first` to `last`, which the broker received from a client or sent to it. */
export function writeDisposition(
  session: RheaSession,
  role: 'receiver' | 'sender',
  first: number,
  last: number,
  refusal: Refusal | undefined,
): void {
  const state = refusal ? rejected(refusal) : accepted();
  (session as Session).output(frames.disposition({ role: role === 'receiver', first, last, settled: true, state }));
}

/** A message that a client sent, as rhea keeps it. */
export interface Received {
  id: number;
  format: number;
  settled: boolean;
  link: Link;
}

/** Lets rhea forget a delivery that the broker answers itself. */
export function forget(delivery: Received): void {
  delivery.settled = true;
  inner(delivery.link.connection)._register();
}

interface Described {
  described(): unknown;
}
interface Outcomes {
  accepted(): Described;
  rejected(fields: object): Described;
  unwrap_outcome(state: unknown): Record<string, unknown>;
}
const outcomes = message as unknown as Outcomes;
const accepted = (): unknown => outcomes.accepted().described();
const rejected = (error: Refusal): unknown => outcomes.rejected({ error }).described();
export const unwrapOutcome = (state: unknown): Record<string, unknown> => outcomes.unwrap_outcome(state);

/** Encodes any value that rhea knows, for application properties that a settlement adds. */
export function encodeValue(value: unknown): Buffer {
  const writer = new (
    types as unknown as { Writer: new () => { write(o: unknown): void; toBuffer(): Buffer } }
  ).Writer();
  writer.write((types as unknown as { wrap(o: unknown): unknown }).wrap(value));
  return Buffer.from(writer.toBuffer());
}

/** Fails with a clear message when the installed rhea is not built as this file expects. */
export function checkRhea(): void {
  const { version } = require('rhea/package.json') as { version: string };
  const session = require('rhea/lib/session.js') as { prototype: Record<string, unknown> };
  const { Sender } = require('rhea/lib/link.js') as { Sender: { prototype: Record<string, unknown> } };
  const connection = require('rhea/lib/connection.js') as { prototype: Record<string, unknown> };
  const expected: [string, unknown][] = [
    ...['on_transfer', 'on_disposition', 'on_flow', 'output'].map((n): [string, unknown] => [
      `session.${n}`,
      session.prototype[n],
    ]),
    ...['_process', 'on_flow'].map((n): [string, unknown] => [`sender.${n}`, Sender.prototype[n]]),
    ...['accept', 'eof', 'output', '_register', '_write_frame'].map((n): [string, unknown] => [
      `connection.${n}`,
      connection.prototype[n],
    ]),
    ...Object.entries({ ...frames }).filter(([n]) => ['write_frame', 'flow', 'disposition'].includes(n)),
  ];
  const missing = expected.filter(([, value]) => typeof value !== 'function').map(([name]) => name);
  if (missing.length > 0)
    throw new Error(`rhea ${version} lacks ${missing.join(', ')}; the broker is written for 3.0.5`);
}
