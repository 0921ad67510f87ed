// Checks who imports whom (.dependency-cruiser.mjs). A check that sees nothing finds nothing, so it also fails unless
// every TypeScript file on disk was read. Usage: node tools/checkImports.ts [folder…]
import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise, type IConfiguration } from 'dependency-cruiser';

const folders = [
  'functions',
  'orchestrators',
  'shared',
  'appliance',
  'console',
  'cli',
  'local',
  'rehearsal',
  'examples',
  'test',
  'tools',
];

export interface ImportReport {
  /** How many of our own source files were read. */
  modules: number;
  /** One line per broken rule: `rule: from -> to`. */
  violations: string[];
  /** Source files on disk that the check did not see. */
  unseen: string[];
}

/** Reads every source file under `roots` (relative to `baseDir`) and holds its imports against the rules. */
export async function checkImports(baseDir: string, roots: readonly string[] = folders): Promise<ImportReport> {
  const files = roots.flatMap((root) =>
    globSync(root.endsWith('.ts') ? root : `${root}/**/*.{ts,mts,js,mjs}`, {
      cwd: baseDir,
      exclude: (name) => name.includes('node_modules') || name.startsWith('test/fixtures/') || name === 'dist',
    }),
  );
  if (files.length === 0) return { modules: 0, violations: [], unseen: [] };
  const rulesFile = new URL('../.dependency-cruiser.mjs', import.meta.url);
  const { forbidden = [], options }: IConfiguration = (await import(rulesFile.href)).default;
  const result = await cruise(files, { ...options, baseDir, ruleSet: { forbidden }, validate: true });
  if (typeof result.output === 'string') throw new Error(`Expected a report, got text: ${result.output}`);
  const seen = new Set(result.output.modules.map((module) => module.source));
  return {
    modules: files.filter((file) => seen.has(file)).length,
    violations: result.output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    unseen: files.filter((file) => !seen.has(file)),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  const report = await checkImports(process.cwd(), process.argv.length > 2 ? process.argv.slice(2) : folders);
  for (const violation of report.violations) console.error(violation);
  for (const file of report.unseen) console.error(`not read: ${file}`);
  console.log(`Import rules: ${report.modules} files read, ${report.violations.length} violations.`);
  if (report.modules === 0) console.error('No source file was read: the check proves nothing.');
  if (report.modules === 0 || report.violations.length > 0 || report.unseen.length > 0) process.exitCode = 1;
}
