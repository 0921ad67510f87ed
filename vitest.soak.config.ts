// Long seeds: the same properties as in `npm test` with far more cases, and whole runs under faults. Not part of the gate.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/soak/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    retry: 0,
    passWithNoTests: false,
    // As in vitest.config.ts.
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  },
});
