import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repository, temporaryTree } from './temporaryTree.ts';

/** Lints files under the house's own configuration and returns one `path:line rule message` per finding. */
async function lint(files: Record<string, string>): Promise<string[]> {
  const copied = ['biome.json', 'tools/lint/deterministic.grit', 'tools/lint/yieldEverything.grit'];
  const root = temporaryTree({
    ...Object.fromEntries(copied.map((path) => [path, readFileSync(join(repository, path), 'utf8')])),
    '.gitignore': 'dist/\n',
    'canary.ts': 'debugger;\n',
    ...files,
  });
  const biome = join(repository, 'node_modules/.bin/biome');
  const arguments_ = ['lint', '--reporter=github', '--max-diagnostics=none', '--error-on-warnings', '.'];
  const output = await new Promise<string>((resolve) => {
    execFile(biome, arguments_, { cwd: root }, (_error, stdout, stderr) => resolve(stdout + stderr));
  });
  const findings = [...output.matchAll(/^::(\w+) title=([^,]+),file=([^,]+),line=(\d+),[^:]*::(.*)$/gm)].map(
    ([, , rule, path, line, message]) => `${path?.replace(`${root}/`, '')}:${line} ${rule} ${message}`,
  );
  // A linter that did not run finds nothing either: the canary must be among its findings.
  if (!findings.some((finding) => finding.startsWith('canary.ts:'))) throw new Error(`Biome did not run: ${output}`);
  return findings.filter((finding) => !finding.startsWith('canary.ts:'));
}

const inOrchestrator = (statement: string) =>
  `export function* planted(ctx: Context, step: Step, steps: Step[], ready: boolean) {\n${statement}\nyield* step.run(ctx, ready, steps);\n}\n`;

const clean = `import { all, sleepUntil, waitFor } from '../shared/durable/tasks.ts';
import type { Context } from '../shared/durable/context.ts';
import { deploy } from './activities.ts';

export function* wave(ctx: Context, names: string[]): Generator<unknown, string[]> {
  const done: string[] = [];
  let failures = 0;
  for (const name of names) {
    const outcome = yield* deploy.call(ctx, { name });
    if (outcome.failed) failures += 1;
    else done.push(outcome.name);
    ctx.safePoint();
    ctx.show({ done: done.length, failures });
  }
  yield* sleepUntil(ctx, new Date(ctx.now));
  yield* all(ctx, names.map((name) => deploy.call(ctx, { name })));
  if (done.length === 0) yield* waitFor(ctx, 'answer');
  return done;
}
`;

const bareStatements = [
  `waitFor(ctx, answered);`,
  `sleepUntil(ctx, ctx.now);`,
  `all(ctx, []);`,
  `someActivity.call(ctx, {});`,
  `step.run(ctx);`,
  `step.undo?.(ctx);`,
  `steps[0].run(ctx);`,
  `context.callActivity('deploy');`,
  `if (ready) step.run(ctx);`,
  `ready && step.run(ctx);`,
  `ready ? step.run(ctx) : undefined;`,
  `void step.run(ctx);`,
  `for (const one of steps) one.run(ctx);`,
  `steps.forEach((one) => { one.run(ctx); });`,
  `try { step.run(ctx); } finally { ctx.setStatus('done'); }`,
];

const nondeterminism: [statement: string, rule: RegExp][] = [
  [`const at = Date.now(); ctx.setStatus(at);`, /read the clock/],
  [`const at = new Date(); ctx.setStatus(at);`, /read the clock/],
  [`const at = new Date; ctx.setStatus(at);`, /read the clock/],
  [`const at = Date(); ctx.setStatus(at);`, /read the clock/],
  [`const at = Temporal.Now.instant(); ctx.setStatus(at);`, /read the clock/],
  [`const at = performance.now(); ctx.setStatus(at);`, /noRestrictedGlobals/],
  [`const dice = Math.random(); ctx.setStatus(dice);`, /must not be random/],
  [`const id = crypto.randomUUID(); ctx.setStatus(id);`, /must not be random/],
  [`const id = globalThis.crypto.randomUUID(); ctx.setStatus(id);`, /must not be random/],
  [`const timer = setTimeout(() => undefined, 5); ctx.setStatus(timer);`, /noRestrictedGlobals/],
  [`const later = async () => 5; ctx.setStatus(later);`, /must not use promises/],
  [`const later = { async run() { return 5; } }; ctx.setStatus(later);`, /must not use promises/],
  [`async function later() { await step.run(ctx); } ctx.setStatus(later);`, /must not use promises/],
  [`const both = Promise.all(steps); ctx.setStatus(both);`, /noRestrictedGlobals/],
  [`const answer = fetch('https://example.org'); ctx.setStatus(answer);`, /noRestrictedGlobals/],
  [`const where = process.env.REGION; ctx.setStatus(where);`, /noProcessGlobal/],
  [`const task = yield ctx.df.createTimer(5); ctx.setStatus(task);`, /library's own context/],
  [`const later = import('./activities.ts'); ctx.setStatus(later);`, /must not load modules/],
  [`const forgotten = step.run(ctx);`, /noUnusedVariables/],
];

const imports: [text: string, rule: RegExp][] = [
  [`export { readFileSync } from 'node:fs';`, /noNodejsModules/],
  [`export { createHash } from 'crypto';`, /noNodejsModules/],
  [`export * from '@azure/arm-compute';`, /noRestrictedImports/],
  [`export * from '@azure/arm-compute/models';`, /noRestrictedImports/],
  [`export * from 'durable-functions';`, /noRestrictedImports/],
];

describe('the lint rules for replayed code', () => {
  it('accept an orchestrator that yields everything it makes', async () => {
    expect(await lint({ 'orchestrators/wave.ts': clean })).toEqual([]);
  });

  it('leave activities and other folders alone', async () => {
    const text = `import { readFileSync } from 'node:fs';\nexport async function f() {\n  await g();\n  readFileSync('x');\n  setTimeout(g, Date.now());\n}\nconst g = () => Math.random();\n`;
    const findings = await lint({ 'orchestrators/steps/01-x/activities.ts': text, 'shared/bus/send.ts': text });
    expect(findings.filter((finding) => !finding.includes('noInvalidUseBeforeDeclaration'))).toEqual([]);
  });

  it('report every task or generator that is made and not yielded', async () => {
    const files = bareStatements.map((statement, index): [string, string] => [
      `orchestrators/steps/${index}/step.ts`,
      inOrchestrator(statement),
    ]);
    const findings = await lint(Object.fromEntries(files));
    const missed = files.filter(
      ([path]) => !findings.some((finding) => finding.startsWith(path) && finding.includes('Nothing runs this')),
    );
    expect(missed).toEqual([]);
  });

  it('report everything that a replay would see differently', async () => {
    const files = nondeterminism.map(([statement], index): [string, string] => [
      `orchestrators/planted${index}.ts`,
      inOrchestrator(statement),
    ]);
    const findings = await lint(Object.fromEntries(files));
    const missed = nondeterminism.filter(
      ([, rule], index) =>
        !findings.some((finding) => finding.startsWith(`orchestrators/planted${index}.ts:`) && rule.test(finding)),
    );
    expect(missed).toEqual([]);
  });

  it('report imports of SDKs and Node built-ins', async () => {
    const files = imports.map(([text], index): [string, string] => [`anywhere/${index}/step.ts`, `${text}\n`]);
    const findings = await lint(Object.fromEntries(files));
    const missed = imports.filter(
      ([, rule], index) => !findings.some((finding) => finding.startsWith(`anywhere/${index}/`) && rule.test(finding)),
    );
    expect(missed).toEqual([]);
  });
});
