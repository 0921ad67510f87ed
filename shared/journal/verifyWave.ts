// Verifies all journals of a wave against each other: the wave's own, every workload's, and the anchors that tie them.
import type { Store } from '../store/contract.ts';
import { Anchor, anchorType, headsRoot } from './anchor.ts';
import type { Head } from './chain.ts';
import type { Misfit } from './misfit.ts';
import { ChainCheck, WorkloadCheck } from './verify.ts';

const pageSize = 500;
const atOnce = 8;

/** What a verification found. */
export interface Verification {
  valid: boolean;
  /** The first entry that does not fit, of each journal that is broken; at most 100. */
  misfits: Misfit[];
  checked: { workloads: number; events: number; entries: number; anchors: number };
  /** Steps that began and have no end, at most 100. Where nothing runs any more, their effects may not all be told. */
  open: { workloadId: string; step: string; since: string }[];
  /** The head of the wave's own journal, as recomputed: whoever keeps it elsewhere can compare it later. */
  head: Head;
  /** The Merkle root over the heads of the workloads, as recomputed. */
  root: string;
}

type Reach = Pick<Store, 'journal' | 'workloads' | 'waves' | 'plans'>;

/** Recomputes every journal of a wave, or its own and those of some workloads. */
export async function verifyWave(store: Reach, waveId: string, only?: readonly string[]): Promise<Verification> {
  const { check, held, anchors } = await verifyOwn(store, waveId);
  const plan = (await store.waves.get(waveId))?.plan;
  const planned = plan === undefined ? [] : (await store.plans.groups(plan)).flatMap(({ tiers }) => tiers.flat());
  const ids = [...new Set([...planned, ...held.keys()])].sort().filter((id) => only === undefined || only.includes(id));
  const checks: WorkloadCheck[] = [];
  for (let from = 0; from < ids.length; from += atOnce)
    checks.push(
      ...(await Promise.all(ids.slice(from, from + atOnce).map((id) => verifyWorkload(store, waveId, id, held)))),
    );
  const misfits = [check, ...checks].flatMap(({ misfit }) => (misfit === undefined ? [] : [misfit]));
  return {
    valid: misfits.length === 0,
    misfits: misfits.slice(0, 100),
    checked: {
      workloads: checks.length,
      events: checks.reduce((sum, { head }) => sum + head.version, 0),
      entries: check.head.version,
      anchors,
    },
    open: checks.flatMap(openIn).slice(0, 100),
    head: check.head,
    root: headsRoot(checks.map(({ workloadId: id = '', head }) => ({ workloadId: id, ...head }))),
  };
}

function openIn({ workloadId = '', state }: WorkloadCheck): Verification['open'] {
  const running = Object.entries(state?.steps ?? {}).filter(([, { status }]) => status === 'running');
  return running.map(([step, { startedAt }]) => ({ workloadId, step, since: startedAt }));
}

/** What anchors say about workloads' journals: per workload, place and hash. */
type Held = Map<string, { version: number; hash: string; where: string }[]>;

async function verifyOwn(store: Reach, waveId: string) {
  const check = new ChainCheck({ waveId });
  const held: Held = new Map();
  let anchors = 0;
  await follow({
    check,
    storedHead: () => store.journal.head(waveId),
    page: (after) => store.journal.entries(waveId, after, pageSize),
    take({ id, version, hash, entry }) {
      if (!check.add({ id, version, hash, content: entry }) || entry.type !== anchorType) return;
      anchors++;
      const anchor = Anchor.safeParse(entry.data);
      if (!anchor.success || headsRoot(anchor.data.heads) !== anchor.data.root)
        check.fail({ code: 'anchor', version, entryId: id, reason: 'its root is not that of the heads that it lists' });
      else
        for (const { workloadId, ...head } of anchor.data.heads)
          held.set(workloadId, [...(held.get(workloadId) ?? []), { ...head, where: `anchor ${version} of the wave` }]);
    },
    end: (head) => check.end(head),
  });
  return { check, held, anchors };
}

async function verifyWorkload(store: Reach, waveId: string, workloadId: string, held: Held): Promise<WorkloadCheck> {
  const check = new WorkloadCheck({ waveId, workloadId });
  const anchored = held.get(workloadId) ?? [];
  const stored = await store.workloads.get(waveId, workloadId);
  let first: Head | undefined = stored?.head;
  await follow({
    check,
    async storedHead() {
      const head = first ?? (await store.workloads.get(waveId, workloadId))?.head;
      first = undefined;
      return head;
    },
    page: (after) => store.workloads.events(waveId, workloadId, after, { limit: pageSize }),
    take(document) {
      check.addEvent(document);
      for (const { version, hash, where } of anchored)
        if (version === check.head.version && hash !== check.head.hash)
          check.fail({ code: 'anchor', version, reason: `${where} holds another hash for this entry` });
    },
    end() {
      if (stored === undefined) check.fail({ code: 'gone', reason: 'the document of its state is gone' });
      else check.endAt(stored);
    },
  });
  const { version } = check.head;
  for (const { where, ...head } of anchored)
    if (head.version > version)
      check.fail({
        code: 'truncated',
        version: version + 1,
        reason: `${where} knows ${head.version} entries, the journal has ${version}`,
      });
  return check;
}

/** Reads a journal to the head that is stored now. What is appended meanwhile is left to the next verification. */
async function follow<D extends Head>(journal: {
  check: ChainCheck;
  storedHead(): Promise<Head | undefined>;
  page(after: number): Promise<D[]>;
  take(document: D): void;
  end(head: Head | undefined): void;
}): Promise<void> {
  const { check } = journal;
  const stored = await journal.storedHead();
  for (let after = 0; check.misfit === undefined; ) {
    const documents = await journal.page(after);
    for (const document of documents) {
      if (stored !== undefined && document.version > stored.version && check.head.version === stored.version) {
        // Appended meanwhile, then the head has moved on; or put there by somebody who forgot the head.
        const head = await journal.storedHead();
        if (head === undefined || head.version > stored.version) return journal.end(stored);
        journal.take(document);
        return check.end(head);
      }
      journal.take(document);
    }
    const last = documents.at(-1);
    if (documents.length < pageSize || last === undefined) break;
    after = last.version;
  }
  journal.end(stored);
}
