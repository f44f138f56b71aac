import { beforeAll, describe, expect, it } from "vitest";
import { type MethodCase, methodCase, shardedCase, unlearn } from "../../test/contract/method-case.ts";
import { digestArrays } from "../kernel/digest.ts";
import { consume } from "../kernel/events.ts";
import { createModel } from "../models/index.ts";
import { trainInShards } from "../training/sisa/train-in-shards.ts";
import type { ShardedTraining } from "./contract.ts";
import { sisa } from "./sisa.ts";

const member = createModel("mlp:6", { inputShape: [5], classes: 3 });
let whole: MethodCase;
let sharded: MethodCase;
beforeAll(async () => {
  whole = await methodCase(member, "sample");
  sharded = await shardedCase(whole);
});

describe("a model trained in shards", () => {
  it("forgets to the bits of sharded training that never saw the samples, at less cost", async () => {
    const { request } = sharded;
    const few = { ...request, forget: request.forget.subset([0]) };
    const { weights, evidence, details } = await unlearn(sisa, few);
    const shards = request.shards as ShardedTraining;
    const never = await consume(
      trainInShards(
        request.recipe,
        {
          ...shards,
          architecture: member,
          samples: request.retain,
          checkpoints: { read: () => undefined, write: () => {} },
        },
        request.runtime,
      ),
    );
    expect(digestArrays(weights)).toBe(digestArrays(never.weights));
    expect(evidence.gradientEvaluations).toBeLessThanOrEqual(Number(details?.gradientEvaluationsFromScratch));
    const scratch = await unlearn(sisa, few, { fromScratch: true });
    expect(digestArrays(scratch.weights)).toBe(digestArrays(weights));
    expect(scratch.details?.slicesTrained).toBe(details?.slices);
  });

  it("is asked for where there is another", async () => {
    await expect(unlearn(sisa, whole.request)).rejects.toMatchObject({ code: "LETHE_USAGE_SHARDS" });
  });
});
