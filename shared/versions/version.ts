// Versions of a wave: every change of a stored wave makes a new one. The wave's document holds the version that is valid;
// it alone decides, and what follows from it (the plans of the workloads) can be repeated until it is done.
import type { VersionDocument, WaveDocument } from '../store/documents.ts';

/** Which version a wave has, who made it, when and why. */
export function versionOf({
  revision,
  createdBy,
  createdAt,
}: WaveDocument): Omit<VersionDocument, 'id' | 'kind' | 'waveId' | 'plan'> {
  return revision ?? { version: 1, by: createdBy, at: createdAt };
}

/** The version that a wave has, to be kept when another one follows. */
export function versionDocument(wave: WaveDocument): VersionDocument {
  const { waveId, plan } = wave;
  const version = versionOf(wave);
  return { id: `version.${version.version}`, kind: 'version', waveId, ...version, plan };
}
