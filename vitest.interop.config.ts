import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['e2e/interop/**/*.test.ts', 'packages/protocol/interop/**/*.test.ts'],
    // Each file starts servers and proxies of its own; two cores are not many for that.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
