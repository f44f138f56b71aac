import { describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { mlp } from "../../models/mlp.ts";
import { createWorkbench } from "../workbench.ts";
import { membershipGapRule } from "./membership-gap-rule.ts";

const part = (seed: number) => blobs({ count: 60, featureShape: [4], classes: 2, seed, spread: 0.4 });
const forget = part(1);
const validation = part(2);
const architecture = mlp([4], 2, []);

/** Weights that answer everything with class 0, more or less surely: no loss tells the two sets apart, class by class. */
function constant(bias: number): ParameterSet {
  return new Map(
    architecture.weights.map(({ name, shape }) => {
      const values = new Float32Array(shape.reduce((product, size) => product * Number(size), 1));
      if (name.endsWith("bias")) values[0] = bias;
      return [name, values];
    }),
  );
}

describe("the membership gap rule", () => {
  it("ends a loop where losses tell nothing, with the model reached", async () => {
    await using workbench = createWorkbench({ architecture, runtime: { threads: 1, spinning: false } });
    const start = { weights: constant(0), classes: 2 };
    const look = membershipGapRule(workbench, { forget, validation }, start);
    const state = { weights: constant(1), optimizer: new Map(), step: 1 };
    const seen = await look({ state, epoch: 3, carried: new Map() });
    expect(seen.stop).toMatchObject({ by: "rule", epoch: 3 });
    expect(seen.weights).toBe(state.weights);
    expect(seen.scalars?.auc).toBe(0.5);
  });
});
