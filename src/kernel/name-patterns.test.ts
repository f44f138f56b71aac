import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namesMatching, patternsFor } from "./name-patterns.ts";

const NAMES = [
  "stem.weight",
  "layer1.conv.weight",
  "layer1.conv.bias",
  "layer10.conv.weight",
  "fc.weight",
  "fc.bias",
  "a/b:0",
];
const matching = (...patterns: string[]): string[] => [...namesMatching(NAMES, patterns, "parameters")];

describe("name patterns", () => {
  it.each<[string[], string[]]>([
    [["layer1.*"], ["layer1.conv.weight", "layer1.conv.bias"]],
    [
      ["fc.*", "stem.weight"],
      ["stem.weight", "fc.weight", "fc.bias"],
    ],
    [["*.bias"], ["layer1.conv.bias", "fc.bias"]],
    [["layer?.*"], ["layer1.conv.weight", "layer1.conv.bias"]],
    [["a/b:0"], ["a/b:0"]],
    [["*"], NAMES],
  ])("%j fits %j", (patterns, expected) => {
    expect(matching(...patterns)).toEqual(expected);
  });

  it("take signs of other languages literally", () => {
    expect(() => matching("fc.(weight|bias)")).toThrow("fits none");
    expect(() => matching("fc_weight")).toThrow("fits none");
  });

  it("that fit nothing are a usage error with the closest names first", () => {
    expect(() => matching("fc.*", "layer1.cov.weight")).toThrow(
      expect.objectContaining({
        kind: "usage",
        code: "LETHE_USAGE_PATTERN",
        message: expect.stringMatching(
          /`layer1\.cov\.weight`, which fits none\. Close are `layer1\.conv\.weight`/,
        ),
      }),
    );
    expect(() => matching("head.*")).toThrow("Close are");
    expect(() => namesMatching([], ["x"], "parameters")).toThrow("there are no names");
  });

  it("made for names fit those and no others", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c](\.[a-c]){0,3}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.nat(), (all, seed) => {
        const chosen = all.filter((_, at) => (seed >> (at % 12)) % 2 === 1);
        const others = all.filter((name) => !chosen.includes(name));
        const patterns = patternsFor(chosen, others);
        expect([...namesMatching(all, patterns, "names")]).toEqual(chosen);
        expect(patterns.length).toBeLessThanOrEqual(chosen.length);
      }),
    );
    expect(patternsFor(["fc.weight", "fc.bias"], ["stem.weight"])).toEqual(["fc.*"]);
  });
});
