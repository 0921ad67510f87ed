// The guest's snapshot commands: node snapshot.ts <folder> take|release <diskId>. QEMU freezes its disk, as Landfall's host for
// QEMU does it, and tells what has changed since the sync that is asked about.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createHosts } from '../../../shared/hosts/hosts.ts';
import { Source } from '../../../shared/model/source.ts';

const [folder = '', order, diskId] = process.argv.slice(2);
const { LANDFALL_SYNC: syncId = '', LANDFALL_SINCE: since = '' } = process.env;
const source = Source.parse(JSON.parse(readFileSync(join(folder, 'source.json'), 'utf8')));
const connection = { kind: 'qemu' as const, sockets: folder, scratch: join(folder, 'scratch') };
const { snapshots } = createHosts({ cellar: connection }).of(source) ?? {};
if (!snapshots) throw new Error('this host freezes nothing');

/** By sync: the mark from which on the changes are known. */
const marksFile = join(folder, 'marks.json');
const marks = existsSync(marksFile)
  ? z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(marksFile, 'utf8')))
  : {};
const name = `s${createHash('sha256').update(syncId).digest('hex').slice(0, 12)}`;

if (order === 'take') {
  const mark = marks[since];
  const disks = await snapshots.take(source, name, mark === undefined ? {} : { [String(diskId)]: mark });
  const frozen = disks.find(({ id }) => id === diskId);
  if (!frozen || !('nbd' in frozen.at)) throw new Error(`there is no disk ${diskId}`);
  if (frozen.mark !== undefined) writeFileSync(marksFile, JSON.stringify({ ...marks, [syncId]: frozen.mark }));
  if (frozen.changed && 'context' in frozen.changed) console.info(`changed: ${frozen.changed.context}`);
  console.info(frozen.at.nbd);
} else await snapshots.release(source, name);
