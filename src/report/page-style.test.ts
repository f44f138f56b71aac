import { describe, expect, it } from "vitest";
import { PAGE_STYLE } from "./page-style.ts";

/** The two colour schemes, as name → colour. */
const [light, dark] = [...PAGE_STYLE.matchAll(/:root \{([^}]*)\}/g)].map(
  ([, body]) =>
    new Map(
      [...(body ?? "").matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, color]) => [name, color]),
    ),
);

describe.each([
  ["light", light],
  ["dark", dark],
])("the %s colours", (_, scheme) => {
  const channels = (name: string) => {
    const color = scheme?.get(name) ?? "";
    return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  };

  it.each(["ink", "muted", "trained", "unlearned", "retrained", "good", "bad", "warn"])(
    "give %s the contrast of WCAG AA on every ground",
    (name) => {
      for (const ground of ["ground", "surface", "track"])
        expect(contrast(channels(name), channels(ground))).toBeGreaterThanOrEqual(4.5);
    },
  );

  it.each(["shade-right", "shade-wrong"])("keep the numbers on every strength of %s readable", (name) => {
    for (let shade = 0; shade <= 100; shade++) {
      const ink = shade > 72 ? "on-strong" : "on-weak"; // as in the confusion matrices
      const cell = channels(name).map((channel, at) =>
        Math.round((channel * shade + (channels("surface")[at] ?? 0) * (100 - shade)) / 100),
      );
      expect(contrast(channels(ink), cell)).toBeGreaterThanOrEqual(4.5);
    }
  });
});

/** Contrast ratio of WCAG 2.2. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(channels: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
