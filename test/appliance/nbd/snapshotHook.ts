// The snapshot commands of a source whose disk QEMU keeps: node snapshotHook.ts <daemon as JSON> take|release <diskId>
import { z } from 'zod';
import { releaseFrozen, takeFrozen } from './qemuDaemon.ts';

const Daemon = z.object({ live: z.string(), control: z.string(), scratch: z.string() });
const daemon = Daemon.parse(JSON.parse(process.argv[2] ?? ''));
const { LANDFALL_SYNC: syncId = '', LANDFALL_SINCE: since = '' } = process.env;

if (process.argv[3] === 'take') {
  const { uri, changed } = await takeFrozen(daemon, syncId, since === '' ? undefined : since);
  if (changed !== undefined) console.info(`changed: ${changed}`);
  console.info(uri);
} else await releaseFrozen(daemon, syncId);
