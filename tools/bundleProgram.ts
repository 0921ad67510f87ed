// Makes one file of a program that copies disks, with its packages and the threads that hash for it.
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

// Packages that were written for CommonJS ask for Node's modules by `require`.
const banner = `import { createRequire as landfallCreateRequire } from 'node:module';
const require = landfallCreateRequire(import.meta.url);`;

/** Bundles `entry` into `outfile`; returns the files that it is made of, relative to `root`. */
export async function bundleProgram(root: string, entry: string, outfile: string): Promise<string[]> {
  const options = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    metafile: true,
    // The compiler's `paths` are for declarations only.
    tsconfigRaw: {},
    logLevel: 'warning',
  } satisfies BuildOptions;
  const thread = await build({
    ...options,
    entryPoints: [join(root, 'appliance/replication/hashThread.ts')],
    minify: true,
    write: false,
  });
  const { metafile } = await build({
    ...options,
    entryPoints: [entry],
    outfile,
    banner: { js: banner },
    legalComments: 'eof',
    define: { landfallHashThread: JSON.stringify(thread.outputFiles[0]?.text) },
  });
  return Object.keys(metafile.inputs);
}
