import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { mlp } from "../models/mlp.ts";
import { compileFisherDiagonal } from "../training/curvature/diagonal-fisher.ts";
import { fisherForgetting } from "./fisher-forgetting.ts";
import { fisherNoise } from "./parts/fisher-noise.ts";

it("adds noise of the Fisher information's size, exactly that of single samples with minibatches of one", async () => {
  const architecture = mlp([8], 3, [20]);
  const { request } = await methodCase(architecture, "sample");
  const { weights, retain, runtime } = request;
  await using exact = await compileFisherDiagonal(architecture, runtime);
  const { diagonal } = await exact.at(weights, retain);
  const options = { alpha: 1e-3, forgetClasses: [] };
  const { variance } = fisherNoise(architecture, weights, diagonal, options);
  const noisy = await unlearn(fisherForgetting, request, { alpha: 1e-3, batchSize: 1 });
  // The same draws, twice as wide.
  const wider = await unlearn(fisherForgetting, request, { alpha: 4e-3, batchSize: 1 });
  let [squares, count] = [0, 0];
  for (const [name, values] of noisy.weights) {
    for (const [at, value] of values.entries()) {
      const start = weights.get(name)?.[at] ?? 0;
      const drawn = (value - start) / Math.sqrt(variance.get(name)?.[at] ?? 0);
      expect(((wider.weights.get(name)?.[at] ?? 0) - start) / (value - start)).toBeCloseTo(2, 0);
      squares += drawn ** 2;
      count++;
    }
  }
  // The mean square of count standard normal numbers is 1 ± √(2/count).
  expect(Math.abs(squares / count - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
});
