import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { parseForgetSpec, resolveForget } from "./forget-spec.ts";
import { samplesOf } from "./samples.ts";

const samples = samplesOf({
  idPrefix: "t",
  featureShape: [1],
  features: { values: new Float32Array(30) },
  labels: Int32Array.from({ length: 30 }, (_, position) => position % 3),
  classCount: 4,
  subjects: {
    codes: Int32Array.from({ length: 30 }, (_, position) => position % 5),
    names: ["a", "b", "c", "d", "e"],
  },
  groups: {
    site: {
      codes: Int32Array.from({ length: 30 }, (_, position) => position % 2),
      names: ["north", "south"],
    },
  },
});
const resolve = (text: string, file = "") =>
  resolveForget(parseForgetSpec(text), samples, { key: keyFromSeed(1), readFile: () => file });

describe("a forget specification", () => {
  it("names classes, subjects, groups and shares", () => {
    expect(resolve("class:2")).toMatchObject({ scope: "class", classes: [2] });
    expect(resolve("class:2").forget).toHaveLength(10);
    expect(resolve("class:0,class:2").classes).toEqual([0, 2]);
    expect([...resolve("subject:b").forget]).toEqual([1, 6, 11, 16, 21, 26]);
    expect(resolve("group:site=south")).toMatchObject({ scope: "group", classes: [] });
    expect(resolve("random:0.1").forget).toHaveLength(3);
  });

  it("puts the samples of several terms together, once each", () => {
    const { forget, scope } = resolve("subject:a,indices:f", "0\n3 # a comment\n\n5\n");
    expect([...forget]).toEqual([0, 3, 5, 10, 15, 20, 25]);
    expect(scope).toBe("samples");
  });

  it("divides the samples without a rest, whatever the share", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.97, noNaN: true }), (share) => {
        const { forget, retain } = resolve(`random:${share}`);
        expect([...forget, ...retain].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
        expect(forget).toHaveLength(Math.max(1, Math.round(share * 30)));
      }),
    );
  });

  it.each([
    ["class:3", /of which none is left/],
    ["class:9", /0 to 3, got 9/],
    ["class:x", /class number/],
    ["random:10", /not a percentage/],
    ["random:0", /\(0, 1\)/],
    ["subject:zoe", /They have 5[.]/],
    ["group:site=east", /They have 2: north, south/],
    ["group:age=3", /attribute site/],
    ["group:site", /ATTRIBUTE=VALUE/],
    ["client:4", /lethe simulate/],
    ["everything", /Expected class:LABEL/],
    ["", /Expected class:LABEL/],
    ["class:0,class:1,class:2", /Discard the model/],
  ])("refuses %s", (text, message) => {
    expect(() => resolve(text)).toThrow(message);
  });

  it.each([
    ["1\n30\n", /line 2 .* got `30`/],
    ["1\n-2\n", /got `-2`/],
    ["4\n5\n4\n", /4 again in line 3/],
    ["# nothing\n", /names none/],
  ])("refuses an indices file %j", (file, message) => {
    expect(() => resolve("indices:f", file)).toThrow(message);
  });
});
