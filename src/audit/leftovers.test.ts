import { describe, expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { fitNormaliser, normalised } from "../data/normaliser.ts";
import { createModel } from "../models/index.ts";
import { findLeftovers, type LeftoverRequest } from "./leftovers.ts";

const train = blobs({ count: 40, featureShape: [1, 8, 8], classes: 4, seed: 1 });
const retain = Uint32Array.from({ length: 30 }, (_, position) => position);
const plain = createModel("mlp:4", { inputShape: [1, 8, 8], classes: 4 });
const base: LeftoverRequest = {
  architecture: plain,
  original: new Map(),
  unlearned: new Map(),
  train,
  retain,
  files: ["model.onnx", "run.json"],
};
const found = (request: Partial<LeftoverRequest>, what: string) =>
  findLeftovers({ ...base, ...request }).find((leftover) => leftover.what.startsWith(what));

describe("what else forgotten samples went into", () => {
  it("is nothing for a plain model on plain data", () => {
    expect(findLeftovers(base).every(({ saw }) => saw === "no")).toBe(true);
  });

  it("is scaling that was computed with them, with how far it would move; not scaling by the retained ones", () => {
    const all = fitNormaliser(train);
    expect(found({ normaliser: all, train: normalised(train, all) }, "Scaling")).toMatchObject({
      saw: "yes",
      words: expect.stringMatching(/move by at most 0\.0\d+ of a deviation/),
    });
    const kept = fitNormaliser(train.subset(retain));
    expect(found({ normaliser: kept, train: normalised(train, kept) }, "Scaling")?.saw).toBe("no");
  });

  it("is running statistics that unlearning left as they were", () => {
    const architecture = createModel("cnn-bn", { inputShape: [1, 8, 8], classes: 4 });
    const buffers = architecture.weights.filter(({ role }) => role === "buffer");
    expect(buffers.length).toBeGreaterThan(0);
    const values = (value: number) => new Map(buffers.map(({ name }) => [name, Float32Array.of(value)]));
    const same = { architecture, original: values(1), unlearned: values(1) };
    expect(found(same, "Running")).toMatchObject({
      saw: "yes",
      words: expect.stringContaining("bit by bit"),
    });
    expect(found({ ...same, unlearned: values(2) }, "Running")?.saw).toBe("unknown");
  });

  it("is an average of the weights, a vocabulary, an optimizer's state and what a method prepared", () => {
    expect(found({ averaging: 0.99 }, "Average")?.saw).toBe("yes");
    const record = {
      kind: "bpe" as const,
      encoding: "r50k_base" as const,
      tokens: [5, 6],
      fittedOn: { samples: "mails/train", texts: 40, digest: "sha256:0" },
    };
    const tokenizer = { size: 5, record, digest: "sha256:1", encode: () => [], decode: () => "" } as never;
    expect(found({ tokenizer }, "Vocabulary")).toMatchObject({
      saw: "yes",
      words: expect.stringContaining("2 tokens"),
    });
    expect(found({ files: ["checkpoint.safetensors"] }, "State")?.saw).toBe("yes");
    expect(found({ files: ["prepared-pgu.safetensors"] }, "Preparation")?.words).toContain("prepared-pgu");
  });
});
