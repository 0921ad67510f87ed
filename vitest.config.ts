import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    exclude: ['test/soak/**', 'test/fixtures/**', 'node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    retry: 0,
    // Debian keeps e2fsprogs in /usr/sbin, which people's PATH leaves out.
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  },
});
