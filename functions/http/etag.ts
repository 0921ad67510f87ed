// Which version of a wave somebody has looked at: nobody changes what somebody else has changed meanwhile.
import type { HttpRequest } from '@azure/functions';
import type { WaveDocument } from '../../shared/store/documents.ts';
import { versionOf } from '../../shared/versions/version.ts';
import { Refused } from './problem.ts';

/** A wave's version as an entity tag. */
export function etagOf(wave: WaveDocument): string {
  return `"${versionOf(wave).version}"`;
}

/** Throws 428 without `If-Match`, 412 if it names another version than the one that is stored. */
export function requireMatch(request: HttpRequest, wave: WaveDocument): void {
  const { version, by, at } = versionOf(wave);
  const given = request.headers.get('if-match');
  if (given === null)
    throw new Refused({
      status: 428,
      code: 'preconditionRequired',
      title: 'Say which version you change',
      detail: `Wave ${wave.waveId} has version ${version}: send it as If-Match: ${etagOf(wave)}.`,
    });
  if (given.trim() === etagOf(wave)) return;
  throw new Refused({
    status: 412,
    code: 'preconditionFailed',
    title: 'Somebody else has changed it',
    detail: `Wave ${wave.waveId} has version ${version} by ${by} since ${at}, not ${given}: look at it, then change that one.`,
  });
}
