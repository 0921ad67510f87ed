// An entry of any journal as people read it: who, what, why, before, after.
import type { EntryDocument, EventDocument } from '../store/documents.ts';

export interface ShownEntry {
  /** Absent in the wave's own journal. */
  workloadId?: string;
  version: number;
  time: string;
  who: string;
  what: string;
  why?: string | undefined;
  before?: unknown;
  after?: unknown;
  operationId?: string | undefined;
  type: string;
  data: unknown;
  hash: string;
}

type Data = Readonly<Record<string, unknown>>;

export function showEntry({ version, hash, entry }: EntryDocument): ShownEntry {
  const { time, source, operationId, type } = entry;
  return {
    version,
    time,
    who: source,
    ...read(type, entry.data),
    operationId,
    type,
    data: entry.data,
    hash,
  };
}

export function showEvent({ workloadId, version, hash, event, moved }: EventDocument): ShownEntry {
  const { time, source, operationId, type } = event;
  const told = read(type, event.data as Data);
  return {
    workloadId,
    version,
    time,
    who: source,
    ...told,
    ...moved,
    operationId,
    type,
    data: event.data,
    hash,
  };
}

function read(type: string, data: Data): Pick<ShownEntry, 'what' | 'why' | 'before' | 'after'> {
  const failure = data['failure'] as { message?: string } | undefined;
  const why = text(data['reason']) ?? text(data['comment']) ?? failure?.message ?? text(data['message']);
  const change = changesOf(data)[0] ?? data;
  return { what: whatOf(type, data), why, before: change['before'], after: change['after'] };
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

function changesOf(data: Data): Data[] {
  return Array.isArray(data['changes']) ? (data['changes'] as Data[]) : [];
}

/** What happened, in a few words: the type spelled out, and what it is about. */
function whatOf(type: string, data: Data): string {
  const changes = changesOf(data).map(({ verb, object }) => `${verb} ${object}`);
  if (changes.length > 0 && type === 'landfall.effect.applied') return changes.join('; ');
  const words = type
    .replace(/^landfall\./, '')
    .replace('.', ' ')
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const about = ['phase', 'step', 'groupId', 'name', 'decision', 'choice', 'action', 'kind', 'syncId', 'activity']
    .map((member) => text(data[member]))
    .filter((value) => value !== undefined);
  return [words, ...about].join(' ');
}
