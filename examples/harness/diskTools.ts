// mke2fs and debugfs, of e2fsprogs: Debian keeps them in a folder that is not in the PATH of ordinary users.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Makes this process and those that it starts find them; throws, saying what to install, when they are not there. */
export function requireDiskTools(): void {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const folder of ['/usr/sbin', '/sbin']) if (!folders.includes(folder)) folders.push(folder);
  process.env['PATH'] = folders.join(delimiter);
  const missing = ['mke2fs', 'debugfs'].filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  if (missing.length > 0)
    throw new Error(`${missing.join(' and ')} not found. Install e2fsprogs, on Debian: apt-get install e2fsprogs`);
}
