import { defineConfig } from 'vitest/config';

// Every process of the tests finds code that an earlier one has compiled (https://nodejs.org/api/module.html#module-compile-cache).
process.env['NODE_COMPILE_CACHE'] ??= `${import.meta.dirname}/node_modules/.cache/compile`;

// What loads apps into its process, or depends on what a process can be only once; and what is so long that it begins first.
const alone = [
  'test/local/host/**/*.test.ts',
  'test/local/identity/**/*.test.ts',
  'test/scenarios/**/*.test.ts',
  'test/rehearsal/seeds.test.ts',
];

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    retry: 0,
    // Debian keeps e2fsprogs in /usr/sbin, which people's PATH leaves out.
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: ['test/soak/**', 'test/fixtures/**', 'node_modules/**', ...alone],
          // A process takes many files, one after the other, and loads what they share once.
          isolate: false,
        },
      },
    ],
  },
});
