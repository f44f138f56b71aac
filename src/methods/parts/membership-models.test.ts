import { describe, expect, it } from "vitest";
import { interpret } from "../../../test/support/interpreter.ts";
import { operators } from "../../autodiff/operators/index.ts";
import { deriveKey, keyFromSeed, randomStream } from "../../kernel/key.ts";
import { createModel } from "../../models/index.ts";
import { Graph } from "../../onnx/graph.ts";
import { createContext } from "../../training/objective-context.ts";
import {
  type Answers,
  fitMembershipModels,
  type MembershipModel,
  membershipLosses,
} from "./membership-models.ts";

const CLASSES = 4;
const KEY = keyFromSeed(12);
const options = { key: KEY, runtime: { threads: 1, spinning: false } };

/** Scores whose true class leads by about `lead`. */
function answers(count: number, lead: number, seed: number): Answers {
  const stream = randomStream(deriveKey(KEY, "answers", seed));
  const labels = Int32Array.from({ length: count }, (_, row) => row % CLASSES);
  const logits = Float32Array.from(
    { length: count * CLASSES },
    (_, at) => stream.normal() + (at % CLASSES === labels[Math.floor(at / CLASSES)] ? lead : 0),
  );
  return { logits, labels };
}

/** Each model's loss on answers, in double precision. */
function lossesOn(models: readonly MembershipModel[], { logits, labels }: Answers): readonly number[] {
  const graph = new Graph(operators);
  const { context } = createContext(graph, createModel("logistic", { inputShape: [1], classes: CLASSES }));
  const scores = context.tensor("scores", ["data", CLASSES]);
  const losses = membershipLosses(context, models, scores, context.labels("data"));
  const rows = labels.length;
  const weights = models.flatMap(({ architecture, weights: fitted }) =>
    architecture.weights.map(({ name, shape }) => [
      `${architecture.id}:${name}`,
      { shape: shape.map(Number), data: Float64Array.from(fitted.get(name) ?? []) },
    ]),
  );
  const [result] = interpret([losses], {
    ...Object.fromEntries(weights),
    scores: { shape: [rows, CLASSES], data: Float64Array.from(logits) },
    "data:labels": { shape: [rows], data: Float64Array.from(labels) },
  });
  return [...(result?.data ?? [])];
}

describe("membership models", () => {
  it("of every family tell samples they have not seen apart, and find nothing where there is nothing", async () => {
    const fitted = await fitMembershipModels(
      { members: answers(300, 8, 1), others: answers(200, 3, 2), classes: CLASSES },
      options,
    );
    const [members, others] = [lossesOn(fitted, answers(200, 8, 3)), lossesOn(fitted, answers(200, 3, 4))];
    expect(fitted).toHaveLength(3);
    // log 2 is the loss of a model that cannot tell.
    for (const at of fitted.keys()) {
      expect(members[at]).toBeGreaterThan(1.5 * Math.LN2);
      expect(others[at]).toBeLessThan(0.75 * Math.LN2);
    }
    const blind = await fitMembershipModels(
      { members: answers(400, 3, 5), others: answers(400, 3, 6), classes: CLASSES },
      options,
    );
    const [same, alike] = [lossesOn(blind, answers(200, 3, 7)), lossesOn(blind, answers(200, 3, 8))];
    for (const at of blind.keys())
      expect(Math.abs((same[at] as number) - (alike[at] as number))).toBeLessThan(0.15);
  });

  it("answer finitely to scores that are as sure as can be", async () => {
    const fitted = await fitMembershipModels(
      { members: answers(20, 8, 1), others: answers(20, 3, 2), classes: CLASSES },
      options,
    );
    for (const lead of [300, -300]) {
      for (const loss of lossesOn(fitted, answers(4, lead, 3))) expect(loss).toBeGreaterThanOrEqual(0);
    }
  });
});
