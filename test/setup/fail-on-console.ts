import { beforeEach, vi } from "vitest";

// The library never logs (docs: conventions). A stray console call in a test run is a failure, not noise.
beforeEach(() => {
  for (const method of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      throw new Error(`console.${method} was called in a test: ${args.map(String).join(" ")}`);
    });
  }
});
