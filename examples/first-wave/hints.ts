// What a person needs when a run stays up, or stays stuck.
import { join } from 'node:path';
import type { WaveView } from '../harness/api.ts';
import { lastLines, logOf } from '../harness/processes.ts';
import type { Stage } from '../harness/stage.ts';
import type { Snapshot } from '../harness/watch.ts';

/** Why a wave that has not ended does not go on. */
export function whatIsWrong({ wave }: Snapshot, { folder }: Stage): string[] {
  const questions = wave.attentions.flatMap(({ step, workloadIds, failure, choices }) => [
    `${wave.name} needs a person: step ${step} of ${workloadIds.join(', ') || 'the environment'} failed.`,
    `  ${failure.code}: ${failure.message}`,
    ...(failure.detail === undefined ? [] : [`  ${failure.detail}`]),
    `  ${failure.suggestion} (${choices.join(' or ')})`,
  ]);
  if (questions.length > 0) return questions;
  const log = `The app's log is ${logOf(folder, 'cloud')}; its last lines:`;
  return [log, lastLines(folder, 'cloud', 5)];
}

/** How to look around in what `--keep` leaves running, and how to end it. */
export async function lookAround(
  { cloud, lab, folder, ada }: Stage,
  { waveId, groups, attentions }: WaveView,
): Promise<string[]> {
  const api = `${cloud.endpoints['host.endpoint']}/api`;
  const curl = 'curl -s -H "Authorization: Bearer $TOKEN"';
  const workload = groups[0]?.workloads[0]?.workloadId ?? '';
  return [
    '',
    'Everything runs on. To look around, as ada, for an hour:',
    `TOKEN=${await ada.token()}`,
    `${curl} ${api}/waves/${waveId}`,
    `${curl} ${api}/waves/${waveId}/workloads/${workload}/events`,
    `${curl} ${api}/appliances`,
    `curl -s ${lab.endpoint}/machines/db-01`,
    ...attentions.map(
      ({ id }) =>
        `${curl} ${api}/waves/${waveId}/attentions/${id} --json '{"choice":"retry","reason":"I have mended it"}'`,
    ),
    `tail -f ${join(folder, 'logs')}/*.log`,
    '',
    `To stop: kill ${lab.pid ?? ''} ${cloud.pid ?? ''}`,
  ];
}
