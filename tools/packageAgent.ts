// Makes the agent: appliance/main.ts with all of its packages in one file that Node runs as it is, its systemd units, and
// the licences of what is in it. The same sources give the same bytes, so the checksum says which agent it is.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleName, layoutAt } from '../appliance/install/layout.ts';
import { unitsOf } from '../appliance/install/units.ts';
import { bundleProgram } from './bundleProgram.ts';

/** Bundles the agent of the repository `root` into `out`; returns the bundle's path and its SHA-256 in hex. */
export async function packageAgent(root: string, out: string): Promise<{ bundle: string; sha256: string }> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const bundle = join(out, bundleName);
  const inputs = await bundleProgram(root, join(root, 'appliance/main.ts'), bundle);
  const sha256 = createHash('sha256').update(readFileSync(bundle)).digest('hex');
  writeFileSync(`${bundle}.sha256`, `${sha256}  ${bundleName}\n`);
  for (const [name, text] of Object.entries(unitsOf(layoutAt(), { node: '/usr/bin/node', asRoot: true })))
    writeFileSync(join(out, name), text);
  cpSync(join(root, 'LICENSE'), join(out, 'LICENSE'));
  writeFileSync(join(out, 'LICENSES-OF-PACKAGES'), licencesOf(root, inputs));
  return { bundle, sha256 };
}

/** Every package that has a file in the bundle, with the text of its licence. */
function licencesOf(root: string, inputs: readonly string[]): string {
  const inPackage = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
  const folders = new Set(inputs.flatMap((path) => inPackage.exec(path)?.[1] ?? []));
  return [...folders]
    .sort()
    .map((folder) => licenceOf(join(root, folder)))
    .join('\n');
}

function licenceOf(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license } = manifest;
  const file = existsSync(folder) && readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '(the package has no file with its text)';
  return `${name} ${version}, ${license}\n\n${text}\n`;
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const { bundle, sha256 } = await packageAgent(process.cwd(), join(process.cwd(), 'dist/agent'));
  console.log(`${bundle}, SHA-256 ${sha256}, with its units and licences.`);
}
