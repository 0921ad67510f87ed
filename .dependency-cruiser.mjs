// Who may import whom. Each rule here is proven by a planted violation in test/tools/importRules.test.ts.
// Run on one folder: `npm run check:imports -- local` (paths are replaced, rules stay).
import { builtinModules } from 'node:module';

const ours = '^(functions|orchestrators|shared|appliance|console|cli|local|rehearsal|examples|test|bench|tools)/';
const app = '^(functions|orchestrators|shared|appliance|console|cli)/';
const sdk = '(^|/)node_modules/(@azure/|@azure-rest/|durable-functions/)';
const builtIn = `^(node:.+|${builtinModules.filter((name) => !name.startsWith('node:')).join('|')})$`;

/** The folder may import of ours only what matches `allowed`; packages are another matter. */
const onlyOurs = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: ours, pathNot: allowed },
});

const pure = '^shared/(model|lifecycle|policy)/';
const replayed = { path: ['^orchestrators/', '/step\\.ts$'], pathNot: ['/activities\\.ts$', '^test/'] };

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'modules that need each other while they load; types are gone by then, so `import type` does not count',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    onlyOurs('shared-stands-alone', '^shared/', '^shared/', 'shared/ is what everyone agrees on; it depends on nobody'),
    onlyOurs('orchestrators-use-shared', '^orchestrators/', '^(orchestrators|shared)/'),
    onlyOurs('functions-use-orchestrators-and-shared', '^functions/', '^(functions|orchestrators|shared)/'),
    onlyOurs('appliance-speaks-protocol-and-model', '^appliance/', '^(appliance|shared/(protocol|model))/'),
    onlyOurs('console-and-cli-know-the-model', '^(console|cli)/', '^(console|cli|shared/model)/'),
    {
      name: 'console-and-cli-take-types-only',
      severity: 'error',
      comment: 'they talk to the HTTP API; an `import type` leaves no code of ours in them',
      from: { path: '^(console|cli)/' },
      to: { path: '^shared/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'local-knows-no-app',
      severity: 'error',
      comment: 'local/ is an Azure: it loads the app as the Functions host would, and imports nothing of it',
      from: { path: '^local/' },
      to: { path: ours, pathNot: '^local/' },
    },
    {
      name: 'app-knows-no-local',
      severity: 'error',
      comment: 'the app runs unchanged in Azure: SDK clients and settings are all it knows',
      from: { path: app },
      to: { path: '^local/' },
    },
    onlyOurs(
      'rehearsal-uses-app-and-engine',
      '^rehearsal/',
      '^((rehearsal|functions|orchestrators|shared|local/durable)/|local/host/(app|coreModule|invoke|log)\\.ts$)',
      'the real orchestrators on the real engine, loaded as the host loads them; everything else is modelled',
    ),
    {
      name: 'rehearsal-is-started-by-process',
      severity: 'error',
      comment: 'the command starts rehearsal/main.ts; only tests and examples look inside',
      from: { path: '^(functions|orchestrators|shared|appliance|console|cli|local|tools)/' },
      to: { path: '^rehearsal/' },
    },
    {
      name: 'rehearsal-asserts-nothing',
      severity: 'error',
      comment: 'invariants return findings; tests assert',
      from: { path: '^rehearsal/' },
      to: { path: '(^|/)node_modules/(vitest|@vitest)/' },
    },
    {
      name: 'product-knows-no-tests',
      severity: 'error',
      from: { pathNot: '^(test|bench|examples|tools)/' },
      to: { path: '^(test|bench|examples|tools)/' },
    },
    {
      name: 'pure-shared-has-no-sdk',
      severity: 'error',
      comment: 'model, lifecycle and policy are values and pure functions',
      from: { path: pure },
      to: { path: sdk },
    },
    { name: 'pure-shared-has-no-built-in', severity: 'error', from: { path: pure }, to: { path: builtIn } },
    {
      name: 'replayed-code-has-no-sdk',
      severity: 'error',
      comment: 'orchestrators and step.ts know shared/durable; SDKs belong into activities and shared/azure',
      from: replayed,
      to: { path: sdk },
    },
    { name: 'replayed-code-has-no-built-in', severity: 'error', from: replayed, to: { path: builtIn } },
    {
      name: 'only-durable-knows-the-library',
      severity: 'error',
      comment: 'in shared/, only durable/ knows the durable library',
      from: { path: '^shared/', pathNot: '^shared/durable/' },
      to: { path: '(^|/)node_modules/durable-functions/' },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^coverage/', '^\\.landfall/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
    skipAnalysisNotInRules: false,
  },
};
