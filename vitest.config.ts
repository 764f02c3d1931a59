import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    environment: "node",
    include: [
      "packages/*/{src,test}/**/*.test.ts",
      "apps/*/{src,test}/**/*.test.{ts,tsx}",
      "bench/**/*.test.ts",
      "scripts/**/*.test.ts",
    ],
    globalSetup: ["packages/database/src/testing/global.ts"],
    pool: "forks",
    // Files share a process, and with it the modules it has read: a third less work. Modules keep nothing but caches.
    isolate: false,
    maxWorkers: 2,
    // For what hangs. Tests that start processes take seconds alone, and on a busy machine ten times as many.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 40_000,
    // What is waited for comes by itself; on a busy machine it takes longer than the second that is vitest's own.
    expect: { poll: { timeout: 30_000 } },
    reporters: ["default"],
  },
});
