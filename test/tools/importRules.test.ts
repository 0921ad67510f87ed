import { describe, expect, it } from 'vitest';
import { checkImports } from '../../tools/checkImports.ts';
import { temporaryTree } from './temporaryTree.ts';

const value = 'export const value = 1;\nexport type Value = number;\n';
const uses = (specifier: string) => `import { value } from '${specifier}';\nexport const used = value;\n`;
const usesType = (specifier: string) => `import type { Value } from '${specifier}';\nexport type Used = Value;\n`;
const usesPackage = (specifier: string) => `import * as it from '${specifier}';\nexport const used = it;\n`;

/** A tree that keeps all the rules and has every folder in it. */
const clean = {
  'shared/model/wave.ts': value,
  'shared/protocol/event.ts': uses('../model/wave.ts'),
  'shared/lifecycle/table.ts': `${usesPackage('zod')}${usesType('../model/wave.ts')}`.replace('Used', 'UsedType'),
  'shared/policy/admit.ts': uses('../model/wave.ts'),
  'shared/azure/compute.ts': usesPackage('@azure/identity'),
  'shared/durable/waitFor.ts': `import type { Task } from 'durable-functions';\nexport type T = Task;\n`,
  'orchestrators/wave.ts': uses('../shared/durable2/all.ts'),
  'shared/durable2/all.ts': value,
  'orchestrators/steps/01-target-iam/step.ts': uses('./activities.ts'),
  'orchestrators/steps/01-target-iam/activities.ts': `import { readFileSync as value } from 'node:fs';\nexport { value };\n`,
  'functions/register.ts': uses('../orchestrators/wave.ts').replace('used', 'used1'),
  'appliance/main.ts': uses('../shared/protocol/event.ts').replace('{ value }', '{ used as value }'),
  'cli/main.ts': usesType('../shared/model/wave.ts'),
  'console/app.ts': usesType('../shared/model/wave.ts'),
  'local/main.ts': usesPackage('node:http'),
  'local/durable/engine.ts': value,
  'rehearsal/run.ts': `${uses('../local/durable/engine.ts')}import '../local/host/app.ts';\n`,
  'local/host/app.ts': value,
  'examples/first/run.ts': `${uses('../../local/durable/engine.ts')}import '../../functions/register.ts';\n`,
  'test/shared/model.test.ts': uses('../../shared/model/wave.ts'),
};
const roots = [
  'shared',
  'orchestrators',
  'functions',
  'appliance',
  'cli',
  'console',
  'local',
  'rehearsal',
  'examples',
  'test',
];

const violations: [rule: string, path: string, text: string][] = [
  [
    'no-cycles',
    'shared/model/wave.ts',
    `${uses('../policy/admit.ts').replace('{ value }', '{ used as value }')}${value.replace('value', 'other')}`,
  ],
  ['everything-resolves', 'shared/policy/planted.ts', uses('./missing.ts')],
  ['shared-stands-alone', 'shared/bus/planted.ts', uses('../../orchestrators/wave.ts')],
  ['orchestrators-use-shared', 'orchestrators/planted.ts', uses('../functions/register.ts')],
  ['functions-use-orchestrators-and-shared', 'functions/planted.ts', uses('../appliance/main.ts')],
  ['appliance-speaks-protocol-and-model', 'appliance/planted.ts', uses('../shared/azure/compute.ts')],
  ['appliance-speaks-protocol-and-model', 'appliance/planted.ts', usesType('../shared/policy/admit.ts')],
  ['console-and-cli-know-the-model', 'cli/planted.ts', usesType('../shared/protocol/event.ts')],
  ['console-and-cli-know-the-model', 'console/planted.ts', uses('../shared/policy/admit.ts')],
  ['console-and-cli-take-types-only', 'cli/planted.ts', uses('../shared/model/wave.ts')],
  [
    'console-and-cli-take-types-only',
    'cli/planted.ts',
    `import { value, type Value } from '../shared/model/wave.ts';\nexport const used: Value = value;\n`,
  ],
  [
    'console-and-cli-take-types-only',
    'cli/planted.ts',
    `${usesType('../shared/model/wave.ts')}${uses('../shared/model/wave.ts')}`,
  ],
  ['local-knows-no-app', 'local/planted.ts', uses('../shared/model/wave.ts')],
  ['local-knows-no-app', 'local/planted.ts', usesType('../shared/model/wave.ts')],
  ['local-knows-no-app', 'local/planted.ts', `export const app = () => import('../functions/register.ts');\n`],
  ['local-knows-no-app', 'local/planted.ts', `export * from '../appliance/main.ts';\n`],
  ['app-knows-no-local', 'shared/store/planted.ts', uses('../../local/durable/engine.ts')],
  ['app-knows-no-local', 'appliance/planted.ts', usesType('../local/durable/engine.ts')],
  ['rehearsal-uses-app-and-engine', 'rehearsal/planted.ts', uses('../local/main.ts')],
  ['rehearsal-uses-app-and-engine', 'rehearsal/planted.ts', uses('../test/shared/model.test.ts')],
  ['rehearsal-is-started-by-process', 'cli/planted.ts', uses('../rehearsal/run.ts')],
  ['rehearsal-is-started-by-process', 'functions/planted.ts', usesType('../rehearsal/run.ts')],
  ['rehearsal-asserts-nothing', 'rehearsal/planted.ts', usesPackage('vitest')],
  ['product-knows-no-tests', 'shared/model/planted.ts', uses('../../test/shared/model.test.ts')],
  ['pure-shared-has-no-sdk', 'shared/model/planted.ts', usesPackage('@azure/cosmos')],
  ['pure-shared-has-no-sdk', 'shared/lifecycle/planted.ts', usesPackage('durable-functions')],
  ['pure-shared-has-no-built-in', 'shared/policy/planted.ts', usesPackage('node:fs')],
  ['pure-shared-has-no-built-in', 'shared/policy/planted.ts', usesPackage('crypto')],
  ['replayed-code-has-no-sdk', 'orchestrators/planted.ts', usesPackage('durable-functions')],
  ['replayed-code-has-no-sdk', 'orchestrators/steps/01-target-iam/step.ts', usesPackage('@azure/arm-compute')],
  ['replayed-code-has-no-built-in', 'orchestrators/planted.ts', usesPackage('node:crypto')],
  ['only-durable-knows-the-library', 'shared/bus/planted.ts', usesPackage('durable-functions')],
];

describe('the import rules', () => {
  it('accept a tree that keeps them, and read every file of it', async () => {
    const report = await checkImports(temporaryTree(clean), roots);
    expect(report).toEqual({ modules: Object.keys(clean).length, violations: [], unseen: [] });
  });

  it.each(violations)('%s: report the violation planted in %s', async (rule, path, text) => {
    const report = await checkImports(temporaryTree({ ...clean, [path]: text }), roots);
    expect(report.violations.filter((violation) => violation.startsWith(`${rule}: ${path}`))).not.toEqual([]);
  });

  it('let types refer to each other across files', async () => {
    const types = usesType('../policy/admit.ts').replaceAll('Value', 'used').replace('Used', 'Back');
    const report = await checkImports(
      temporaryTree({ ...clean, 'shared/model/wave.ts': `${types.replace('= used', '= typeof used')}${value}` }),
      roots,
    );
    expect(report.violations).toEqual([]);
  });

  it('say so when there was nothing to read', async () => {
    const report = await checkImports(temporaryTree({ 'docs/readme.md': '# empty' }), roots);
    expect(report.modules).toBe(0);
  });
});
