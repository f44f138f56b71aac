import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { classProbabilities } from "../../test/support/class-probabilities.ts";
import { mlp } from "../models/mlp.ts";
import { muMis } from "./mu-mis.ts";

const architecture = mlp([60], 4, [12]);

it("does not stop before the class is forgotten where the wrong classes' sensitivity has no dip", async () => {
  const { request } = await methodCase(architecture);
  const { weights, stop } = await unlearn(muMis, request, { maxPasses: 100 });
  expect(stop?.by).toBe("rule");
  const rows = await classProbabilities(architecture, weights, request.forget);
  const right = rows.filter((row, at) => row[request.forget.labels[at] as number] === Math.max(...row));
  expect(right.length / rows.length).toBeLessThanOrEqual(0.05);
});

it("says that its rule did not fire where the cap came first", async () => {
  const { request } = await methodCase(architecture);
  const { stop } = await unlearn(muMis, request, { maxPasses: 1, learningRate: 1e-6 });
  expect(stop?.by).toBe("cap");
});
