import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { type ForgetTerm, parseForgetSpec } from "./forget-spec.ts";
import { type ForgetResources, resolveForget } from "./resolve-forget.ts";
import { samplesOf } from "./samples.ts";

/** Twelve samples of classes 0 1 2 in turn (none of class 3), of four people, in two towns. */
const samples = samplesOf({
  idPrefix: "t",
  featureShape: [1],
  features: { values: new Float32Array(12) },
  labels: Int32Array.from({ length: 12 }, (_, at) => at % 3),
  classCount: 4,
  subjects: { codes: Int32Array.from({ length: 12 }, (_, at) => at % 4), names: ["ann", "bo", "cyril", ""] },
  groups: {
    town: { codes: Int32Array.from({ length: 12 }, (_, at) => (at < 8 ? 0 : 1)), names: ["Ulm", "Bonn"] },
  },
});
const resources: ForgetResources = {
  indicesText: () => "7\n\n2\r\n",
  clients: new Map([
    ["0", Uint32Array.of(0, 1)],
    ["4", Uint32Array.of(10)],
    ["idle", new Uint32Array()],
  ]),
};
const key = keyFromSeed(1);
const resolve = (text: string, seed = 1) =>
  resolveForget(parseForgetSpec(text), samples, keyFromSeed(seed), resources);

describe("parseForgetSpec", () => {
  it("gives a part without a kind that of the part before", () => {
    expect(parseForgetSpec("client:0,4,class:1,2")).toEqual([
      { kind: "client", id: "0" },
      { kind: "client", id: "4" },
      { kind: "class", label: 1 },
      { kind: "class", label: 2 },
    ]);
  });

  it("reads back any value whose commas and percent signs are escaped", () => {
    const escaped = (value: string) => value.replaceAll("%", "%25").replaceAll(",", "%2C");
    const word = fc.string({ minLength: 1, unit: "grapheme" });
    fc.assert(
      fc.property(word, word, (attribute, value) => {
        fc.pre(!attribute.includes("="));
        const terms: readonly ForgetTerm[] = [
          { kind: "subject", id: value },
          { kind: "group", attribute, value },
        ];
        const text = `subject:${escaped(value)},group:${escaped(attribute)}=${escaped(value)}`;
        expect(parseForgetSpec(text)).toEqual(terms);
      }),
    );
  });

  it.each([
    ["", /class:LABEL, random:FRACTION/],
    ["3", /class:LABEL, random:FRACTION/],
    ["person:3", /got `person:3`/],
    ["class:", /a value after `class:`/],
    ["class:3,", /a value after `class:`/],
    ["class:cat", /number of a class.*`class:cat`/],
    ["class:-1", /number of a class/],
    ["class:1,class:1", /`class:1` twice/],
    ["random:0", /\(0, 1\).*`random:0`/],
    ["random:1", /\(0, 1\)/],
    ["random:10%25", /\(0, 1\)/],
    ["random:NaN", /\(0, 1\)/],
    ["group:town", /attribute and its value/],
    ["group:=Ulm", /attribute and its value/],
    ["subject:10%", /%25/],
  ])("refuses %j", (text, message) => {
    expect(() => parseForgetSpec(text)).toThrow(
      expect.objectContaining({
        kind: "usage",
        code: "LETHE_USAGE_FORGET",
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe("resolveForget", () => {
  it.each([
    ["class:2", [2, 5, 8, 11], "class", "class 2 (4 samples)"],
    ["indices:FILE", [2, 7], "sample", "chosen samples (2 samples)"],
    ["subject:bo", [1, 5, 9], "subject", "one subject (3 samples)"],
    ["group:town=Bonn", [8, 9, 10, 11], "group", "group town = Bonn (4 samples)"],
    ["client:4", [10], "client", "client 4 (1 sample)"],
    ["client:0,4", [0, 1, 10], "client", "client 0 (2 samples), client 4 (1 sample)"],
    ["class:2,subject:bo", [1, 2, 5, 8, 9, 11], "sample", "class 2 (4 samples), one subject (3 samples)"],
  ])("divides the samples by %s", (text, forget, scope, description) => {
    const sets = resolve(text);
    expect([...sets.forget]).toEqual(forget);
    expect([...sets.retain]).toEqual([...samples.labels.keys()].filter((at) => !forget.includes(at)));
    expect(sets).toMatchObject({ scope, description });
  });

  it("draws a fraction from the key, whatever else is asked", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.9, noNaN: true }), fc.integer(), (fraction, seed) => {
        const { forget, retain } = resolve(`random:${fraction}`, seed);
        expect(forget.length).toBe(Math.max(1, Math.round(fraction * 12)));
        expect([...forget, ...retain].sort((a, b) => a - b)).toEqual([...samples.labels.keys()]);
        expect(resolve(`random:${fraction}`, seed).forget).toEqual(forget);
      }),
    );
    const draws = [1, 2, 3, 4].map((seed) => resolve("random:0.5", seed).forget.join());
    expect(new Set(draws).size).toBeGreaterThan(1);
  });

  it.each([
    ["class:4", /class in 0 … 3, got `class:4`/],
    ["class:3", /samples of class 3, got none/],
    ["subject:An", /one of 3 subjects, got `subject:An`\. Is `ann` meant/],
    ["subject:cirill", /Is `cyril` meant/],
    ["subject:zoe", /got `subject:zoe`\.$/],
    ["group:city=Ulm", /attribute of the samples \(town\)/],
    ["group:town=Ulme", /one of 2 values of `town`.*Is `Ulm` meant/],
    ["client:7", /one of 3 clients/],
    ["client:idle", /samples of client idle, got none/],
    ["class:0,1,2", /forget all 12/],
  ])("refuses %s", (text, message) => {
    expect(() => resolve(text)).toThrow(
      expect.objectContaining({
        kind: "usage",
        code: "LETHE_USAGE_FORGET",
        message: expect.stringMatching(message),
      }),
    );
  });

  it("refuses subjects and clients where there are none, and a file nobody reads", () => {
    const anonymous = samplesOf({
      idPrefix: "t",
      featureShape: [1],
      features: { values: new Float32Array(2) },
      labels: Int32Array.of(0, 1),
      classCount: 2,
    });
    const run = (text: string) => () => resolveForget(parseForgetSpec(text), anonymous, key);
    expect(run("subject:ann")).toThrow(/this data names none/);
    expect(run("group:town=Ulm")).toThrow(/none in this data/);
    expect(run("client:0")).toThrow(/trained centrally/);
    expect(run("indices:FILE")).toThrow(/way to read `indices:FILE`/);
  });

  it.each([
    ["1\nx\n", /position in \[0, 12\).*line 2 of FILE/],
    ["1\n2\n12\n", /line 3 of FILE/],
    ["-1\n", /line 1 of FILE/],
    ["1.5\n", /line 1 of FILE/],
    ["4\n\n4\n", /got 4 \(also on line 1\) on line 3 of FILE/],
    ["\n \n", /got none/],
  ])("refuses the indices %j", (text, message) => {
    expect(() =>
      resolveForget(parseForgetSpec("indices:FILE"), samples, key, { indicesText: () => text }),
    ).toThrow(
      expect.objectContaining({
        kind: "data",
        code: "LETHE_DATA_INDICES",
        message: expect.stringMatching(message),
      }),
    );
  });
});
