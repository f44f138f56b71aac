import { describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { initialWeights } from "../../models/architecture.ts";
import { mlp } from "../../models/mlp.ts";
import type { Reached } from "../look.ts";
import { utilityGuard } from "./utility-guard.ts";

const architecture = mlp([2], 3, []);
const samples = blobs({ count: 30, featureShape: [2], classes: 3, seed: 1 });
const good = initialWeights(architecture, keyFromSeed(1));
const bad: ParameterSet = new Map([...good].map(([name, values]) => [name, values.map(() => 1e30)]));
/** Answers right with any weights but the ruined ones. */
const workbench = {
  logitsOf: async (weights: ParameterSet, of: typeof samples) =>
    Float32Array.from({ length: of.count * 3 }, (_, at) => {
      const label = of.labels[Math.floor(at / 3)] as number;
      return (at % 3 === label) === (weights !== bad) ? 1 : 0;
    }),
};
const reached = (weights: ParameterSet, epoch: number, carried: ParameterSet = new Map()): Reached => ({
  state: { weights, optimizer: new Map(), step: epoch },
  epoch,
  carried,
});
const guard = { architecture, weights: good, forgetClasses: [], workbench, leastUtility: 0.5 };

describe("utilityGuard", () => {
  it("takes a ruined model back to the last one above the floor, and says which", async () => {
    const look = utilityGuard({ ...guard, validation: samples });
    const kept = new Map(good);
    const first = await look(reached(kept, 1));
    expect(first.stop).toBeUndefined();
    const second = await look(reached(bad, 2, first.carried));
    expect(second.stop).toMatchObject({ by: "ruin", epoch: 1, reason: expect.stringMatching(/held-out/) });
    expect([...(second.weights ?? [])]).toEqual([...kept]);
  });

  it("passes over a fall that later epochs may make good, and remembers the model before it", async () => {
    const look = utilityGuard({ ...guard, validation: samples, from: 3 });
    const { carried } = await look(reached(good, 1));
    expect((await look(reached(bad, 2, carried))).stop).toBeUndefined();
    expect((await look(reached(bad, 3, carried))).stop).toMatchObject({ by: "ruin", epoch: 1 });
  });

  it("watches retained samples where none are held out, and says so where there are none either", async () => {
    const retain = await utilityGuard({ ...guard, retain: samples })(reached(bad, 1));
    expect(retain.stop?.reason).toMatch(/retained samples fell .* model of epoch 0 is kept/);
    expect(retain.weights).toBe(good);
    const blind = utilityGuard(guard);
    expect((await blind(reached(bad, 1))).notice?.code).toBe("UNWATCHED");
    expect(await blind(reached(bad, 2))).toEqual({});
  });

  it("refuses samples on which the trained model itself answers nothing finite", async () => {
    const nan = { logitsOf: async () => new Float32Array(90).fill(Number.NaN) };
    await expect(
      utilityGuard({ ...guard, workbench: nan, validation: samples })(reached(good, 1)),
    ).rejects.toThrow(/NaN in the data/);
  });
});
