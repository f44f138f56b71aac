import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operators } from "../../src/autodiff/operators/index.ts";
import { keyFromSeed } from "../../src/kernel/key.ts";
import { evaluators } from "../support/interpreter.ts";
import { cases } from "./cases/index.ts";
import { resizeCases } from "./cases/resize.ts";
import { spatialCases } from "./cases/spatial.ts";
import { checkOperator } from "./check-operator.ts";

/** Random uses of each operator; those with many attributes need more. */
const RUNS = 6;
const MANY_RUNS = 20;

describe("the operator table", () => {
  it("has random cases and a double-precision evaluator for every operator", () => {
    const known = [...operators].flatMap(([key, { isRefused }]) => (isRefused ? [] : [key])).sort();
    expect(Object.keys(cases).sort()).toEqual(known);
    expect(Object.keys(evaluators).sort()).toEqual(known);
  });

  it("gives every operator a gradient, or declares it constant in pieces or made of others", () => {
    const bare = [...operators.values()]
      .filter(({ gradient, isPiecewiseConstant, lower, isRefused }) =>
        [gradient, isPiecewiseConstant, lower, isRefused].every((part) => part === undefined),
      )
      .map((operator) => operator.type);
    expect(bare).toEqual([]);
  });
});

describe.each(Object.entries(cases))("%s", (type, arbitrary) => {
  it("has the shapes, values and derivatives of its definition", async () => {
    const isSpatial = type in spatialCases || type in resizeCases;
    const numRuns = isSpatial || type === "Einsum" ? MANY_RUNS : RUNS;
    await fc.assert(
      fc.asyncProperty(arbitrary, fc.nat(), (testCase, seed) => checkOperator(testCase, keyFromSeed(seed))),
      { numRuns, seed: 1 },
    );
  });
});
