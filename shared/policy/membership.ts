// Whether workloads may leave their group while the others go on.

export interface Member {
  workloadId: string;
  dependsOn: readonly string[];
  /** Whether it has left in this attempt. */
  left: boolean;
}

/** Why these may not leave the group alone; nothing, if they may. */
export function whyTheyMustStay(members: readonly Member[], leaving: readonly string[]): string | undefined {
  const staying = members.filter(({ workloadId, left }) => !left && !leaving.includes(workloadId));
  if (staying.length === 0) return 'nobody would be left in the group';
  const needing = staying.filter(({ dependsOn }) => dependsOn.some((other) => leaving.includes(other)));
  if (needing.length === 0) return undefined;
  return `${needing.map(({ workloadId }) => workloadId).join(', ')} would stay and depends on ${leaving.join(', ')}`;
}
