import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { expect } from "vitest";

/** Where `.ci/run` puts the browser. */
export const CHROMIUM = "/usr/bin/chromium";

/**
 * Starts the system's Chromium (`.ci/run` installs it), which asks nobody outside; without one the test fails rather than passing
 * unseen.
 */
export function launchChromium(args: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
  expect(existsSync(CHROMIUM), `${CHROMIUM} is needed: apt-get install chromium`).toBe(true);
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  });
}
