// The people of a story: they decide at gates, answer questions and give orders, after a while and in their own ways. In
// the end somebody always decides, so that no story waits for ever.
import type { Chance } from '../../local/durable/chance.ts';
import type { AttentionDocument, ControlDocument, GateDocument } from '../../shared/store/documents.ts';
import type { Latencies } from '../latencies/latencies.ts';
import type { Written } from '../world/mirror.ts';
import { ada, carl, dora } from '../world/persons.ts';
import type { World } from '../world/world.ts';
import type { Order, Story } from './story.ts';

const day = 86_400_000;
const routeOf: Record<Order, string> = {
  rollback: 'wavesRollback',
  withdraw: 'wavesRollback',
  cancel: 'wavesCancel',
  pause: 'wavesPause',
  defer: 'workloadsDefer',
  rush: 'workloadsRush',
  revalidate: 'groupsValidate',
};
const reason = 'the story says so';

export class Crowd {
  /** What they did, in words. */
  readonly deeds: string[] = [];
  readonly #world: World;
  readonly #story: Story;
  readonly #chance: Chance;
  readonly #latencies: Latencies;
  readonly #asked = new Set<string>();
  readonly #answers = new Map<string, number>();

  constructor(world: World, story: Story, chance: Chance, latencies: Latencies) {
    this.#world = world;
    this.#story = story;
    this.#chance = chance;
    this.#latencies = latencies;
  }

  /** Reads what was written, and acts on what is asked. */
  reads(document: Written): void {
    if (document.kind === 'control') this.#ordered(document as unknown as ControlDocument);
    const asked = document as unknown as GateDocument | AttentionDocument;
    if ((asked.kind !== 'gate' && asked.kind !== 'attention') || asked.status !== 'open') return;
    const key = `${asked.waveId}/${asked.id}`;
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    if (asked.kind === 'gate') this.#atGate(asked);
    else this.#questioned(asked);
  }

  /** Whoever or whatever has paused a wave: somebody lets it go on after a while. */
  #ordered({ id, waveId, signal }: ControlDocument): void {
    if (signal.action !== 'pause' || this.#asked.has(id)) return;
    this.#asked.add(id);
    const resume = () => this.#does('resume', 'wavesResume', { id: waveId }, { reason }, ada);
    this.#world.motion.later(this.#about(120), resume);
  }

  #atGate(gate: GateDocument): void {
    const { rejects, sleeps } = this.#story.people;
    const rejected = this.#chance.happens(rejects * 0.5);
    const minutes = this.#latencies.people.gateMinutes;
    const after = this.#chance.happens(sleeps) ? day * (1 + this.#chance.next()) : this.#about(minutes);
    this.#world.motion.later(after, () => this.#decide(gate, rejected));
  }

  async #decide(gate: GateDocument, rejected: boolean): Promise<void> {
    const params = { id: gate.waveId, gateId: gate.id };
    if (rejected)
      return this.#does(`reject ${gate.name}`, 'gatesReject', params, { comment: reason, acceptDataLoss: true }, carl);
    const some = gate.policy.partial && gate.workloadIds.length > 1 && this.#chance.happens(0.4);
    const body = some ? { workloads: gate.workloadIds.slice(0, 1) } : {};
    for (const approver of [carl, dora].slice(0, Math.max(1, gate.policy.quorum)))
      await this.#does(`approve ${gate.name}${some ? ' in part' : ''}`, 'gatesApprove', params, body, approver);
    if (!some) return;
    // What was not approved is decided as well, or its group would wait for ever.
    const others = { workloads: gate.workloadIds.slice(1), comment: reason };
    await this.#does(`reject the rest of ${gate.name}`, 'gatesReject', params, others, carl);
  }

  #questioned(question: AttentionDocument): void {
    this.#world.motion.later(this.#about(this.#latencies.people.questionMinutes), () => this.#answer(question));
  }

  async #answer({ waveId, id, step, choices }: AttentionDocument): Promise<void> {
    const offered: readonly string[] = choices;
    const times = (this.#answers.get(`${waveId} ${step}`) ?? 0) + 1;
    this.#answers.set(`${waveId} ${step}`, times);
    const patient = times <= 3 && !this.#chance.happens(this.#story.people.rollsBack);
    const back = ['rollback', 'cancel'].filter((choice) => offered.includes(choice));
    const choice = patient || back.length === 0 ? 'retry' : (back[this.#chance.below(back.length)] ?? 'retry');
    const wanted = offered.includes(choice) ? choice : (offered[0] ?? choice);
    const body = { choice: wanted, reason, acceptDataLoss: true };
    await this.#does(`answer ${step} with ${wanted}`, 'attentionsAnswer', { id: waveId, attentionId: id }, body, carl);
    // Refused, or overtaken by something else: as long as it stands open, somebody comes back to it.
    const stands = this.#world.openQuestions().find((each) => each.id === id && each.waveId === waveId);
    if (stands !== undefined) this.#questioned(stands);
  }

  /** Gives one of the story's orders, now or after a while. */
  order({ order, laterMinutes, wave }: Story['orders'][number]): void {
    const waves = this.#world.documents<{ kind: 'wave'; waveId: string }>('wave');
    const waveId = waves[wave % waves.length]?.waveId;
    if (waveId === undefined) return;
    this.#world.motion.later(laterMinutes * 60_000, () => this.#give(order, waveId));
  }

  async #give(order: Order, id: string): Promise<void> {
    const { plan } = this.#world.wave(id);
    const groups = plan.groups.map((group) => this.#world.group(id, group.id));
    const workloads = groups.flatMap((group) => group?.members.map(({ workloadId }) => workloadId) ?? []);
    const gid = plan.groups[this.#chance.below(plan.groups.length)]?.id ?? '';
    const wid = workloads[this.#chance.below(workloads.length)] ?? '';
    const bodies: Record<Order, unknown> = {
      rollback: { to: 'replicating', reason, acceptDataLoss: true },
      withdraw: { to: 'withdrawn', reason, acceptDataLoss: true },
      cancel: { reason },
      pause: { reason },
      defer: { reason },
      rush: { reason },
      revalidate: { reason },
    };
    await this.#does(order, routeOf[order], { id, wid, gid }, bodies[order], carl);
  }

  #about(minutes: number): number {
    return Math.round(minutes * 60_000 * (0.1 + 1.8 * this.#chance.next()));
  }

  async #does(what: string, route: string, params: Record<string, string>, body: unknown, person = ada): Promise<void> {
    const granted = await this.#world.people.try(route, params, body, person);
    const at = this.#world.capabilities.now();
    this.deeds.push(`${at} ${person.subject}: ${what}${granted ? '' : ' (refused)'}`);
  }
}
