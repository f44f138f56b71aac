import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/boundaries/**", "node_modules/**"],
    setupFiles: ["test/setup/fail-on-console.ts"],
    // Every file has its own process: ONNX Runtime is a native module with global state.
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
