import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { scoreAnswers } from "../metrics/answer-scores.ts";
import { createModel } from "../models/index.ts";
import { createPredictor } from "../training/predictor.ts";
import { npo } from "./npo.ts";

it("makes forget samples less likely and keeps the retain samples", async () => {
  const model = createModel("mlp:12", { inputShape: [6], classes: 3 });
  const { request } = await methodCase(model, "class");
  const { weights } = await unlearn(npo, request, { epochs: 20, learningRate: 0.01 });
  await using predictor = await createPredictor(model, request.runtime);
  const right = async (of: typeof weights, samples: typeof request.forget): Promise<number> =>
    (await scoreAnswers((part) => predictor.logitsOf(of, part), samples, 3)).accuracy;
  expect(await right(weights, request.forget)).toBeLessThan(
    (await right(request.weights, request.forget)) / 2,
  );
  expect(await right(weights, request.retain)).toBeGreaterThan(
    0.9 * (await right(request.weights, request.retain)),
  );
});
