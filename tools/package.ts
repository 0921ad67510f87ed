// Makes what is deployed: functions/register.ts bundled into dist/app/main.js, with a package.json that names only what
// runs there. Our own modules become one file; packages stay packages, so that @azure/functions and durable-functions
// are the same instances that the Functions worker hooks into.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

interface Manifest {
  name: string;
  version: string;
  license: string;
  main: string;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
  overrides: Record<string, string>;
}

/** `@azure/cosmos/x` and `zod/v4` belong to the packages `@azure/cosmos` and `zod`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Bundles the app in `root` into `out` and returns the packages that it needs there. */
export async function packageApp(root: string, out: string): Promise<string[]> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const { metafile } = await build({
    entryPoints: [join(root, manifest.main)],
    outfile: join(out, 'main.js'),
    absWorkingDir: root,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    metafile: true,
    // The compiler's `paths` are for declarations only.
    tsconfigRaw: {},
    logLevel: 'warning',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const packages = imports
    .filter(({ external, path }) => external && !path.startsWith('node:') && !builtinModules.includes(path))
    .map(({ path }) => packageOf(path));
  const needed = [...new Set(packages)].sort();
  const undeclared = needed.filter((name) => !(name in manifest.dependencies));
  if (undeclared.length > 0) throw new Error(`Imported, but not a dependency: ${undeclared.join(', ')}`);

  const { name, version, license, engines, overrides } = manifest;
  const dependencies = Object.fromEntries(needed.map((key) => [key, manifest.dependencies[key]]));
  const deployed = { name, version, license, private: true, type: 'module', main: 'main.js', engines, dependencies };
  writeFileSync(join(out, 'package.json'), `${JSON.stringify({ ...deployed, overrides }, null, 2)}\n`);
  for (const file of ['host.json', 'LICENSE']) cpSync(join(root, file), join(out, file));
  if (existsSync(join(root, 'console'))) cpSync(join(root, 'console'), join(out, 'console'), { recursive: true });
  return needed;
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const out = join(process.cwd(), 'dist/app');
  const needed = await packageApp(process.cwd(), out);
  console.log(`${out}: main.js and package.json with ${needed.length} dependencies.`);
}
