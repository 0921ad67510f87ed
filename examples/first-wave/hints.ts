// What a person needs when a run stays up, or stays stuck.
import { join } from 'node:path';
import { lastLines, logOf } from '../harness/processes.ts';
import type { Stage } from '../harness/stage.ts';
import type { Snapshot } from '../harness/watch.ts';

/** Why a wave that has not ended does not go on. */
export function whatIsWrong({ wave }: Snapshot, { folder }: Stage): string {
  const questions = wave.attentions.flatMap(({ step, workloadIds, failure, choices }) => [
    `${wave.name} needs a person: step ${step} of ${workloadIds.join(', ') || 'the environment'} failed.`,
    `  ${failure.code}: ${failure.message}`,
    ...(failure.detail === undefined ? [] : [`  ${failure.detail}`]),
    `  ${failure.suggestion} (${choices.join(' or ')})`,
  ]);
  const said = lastLines(folder, 'cloud', 5);
  return [...questions, '', `Logs: ${join(folder, 'logs')}; the last lines of ${logOf(folder, 'cloud')}:`, said].join(
    '\n',
  );
}

/** How to look around in what `--keep` leaves running. */
export async function lookAround({ cloud, lab, folder, ada }: Stage): Promise<string[]> {
  const host = cloud.endpoints['host.endpoint'];
  return [
    `Everything runs on. State, definitions and logs: ${folder}`,
    `A token of ada, for an hour:\n  TOKEN=${await ada.token()}`,
    `Look:\n  curl -s -H "Authorization: Bearer $TOKEN" ${host}/api/waves`,
    `  curl -s -H "Authorization: Bearer $TOKEN" ${host}/api/waves/first-wave/workloads/db01/events`,
    `  curl -s ${lab.endpoint}/machines/db-01`,
    `Stop, in this order: kill ${lab.pid ?? '(gone)'} ${cloud.pid ?? '(gone)'}`,
  ];
}
