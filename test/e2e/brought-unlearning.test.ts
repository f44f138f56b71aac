import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../src/kernel/key.ts";
import { parseModel } from "../../src/onnx/read-model.ts";
import { readTensor } from "../../src/onnx/read-tensor.ts";
import type { Tensor } from "../../src/onnx/tensor.ts";
import { type Finished, lethe } from "./lethe.ts";
import { writeCsv } from "./tiny-data.ts";

const RESNET = fileURLToPath(new URL("../fixtures/exports/resnet.onnx", import.meta.url));
/** Many processes in a row, on machines that do other things too. */
const PATIENT_MS = 300_000;
let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);
const graphOf = (path: string) => parseModel(readFileSync(path)).graph;
const tensorsOf = (path: string): Map<string, string> =>
  new Map(graphOf(path)?.initializer.map((tensor) => [tensor.name, textOf(readTensor(tensor))]));
const train = (...args: readonly string[]): Promise<Finished> =>
  lethe(["train", "--epochs", "3", "--batch-size", "32", "--threads", "1", "--json", ...args]);
const unlearn = (from: string, out: string, ...args: readonly string[]): Promise<Finished> =>
  lethe(["unlearn", at(from), "--out", at(out), "--threads", "1", "--json", ...args]);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lethe-brought-"));
  writeCsv(at("trees.csv"));
  const random = randomStream(keyFromSeed(1));
  for (let picture = 0; picture < 216; picture++) {
    const kind = picture % 3;
    mkdirSync(at("pictures", `kind${kind}`), { recursive: true });
    // A colour a class, and noise.
    const pixels = Uint8Array.from(
      { length: 8 * 8 * 3 },
      (_, place) => 60 + random.below(80) + (place % 3 === kind ? 90 : 0),
    );
    await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toFile(at("pictures", `kind${kind}`, `${picture}.png`));
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a residual network from PyTorch's exporter", { timeout: PATIENT_MS }, () => {
  it("is trained, unlearns by three methods, and stays the file it was but for its weights", async () => {
    const trained = await train(
      "--data",
      `images:${at("pictures")}?size=8&test=0.25`,
      "--model",
      RESNET,
      "--out",
      at("whole"),
    );
    expect(trained.code).toBe(0);
    const digests = new Set<unknown>();
    for (const method of ["retrain", "scrub", "neg-grad-plus"]) {
      const done = await unlearn("whole", method, "--forget", "class:1", "--method", method);
      expect([method, done.code]).toEqual([method, 0]);
      digests.add(done.json().digest);
      const [before, after] = [graphOf(RESNET), graphOf(at(method, "model.onnx"))];
      expect(after?.node).toEqual(before?.node);
      expect([after?.input, after?.output]).toEqual([before?.input, before?.output]);
    }
    expect(digests.size).toBe(3);
  });

  it("of which a part is trained keeps the rest, in unlearning and in retraining too", async () => {
    const part = ["--train", "layer2.*", "--train", "fc.*"];
    const data = ["--data", `images:${at("pictures")}?size=8&test=0.25`, "--model", RESNET];
    expect((await train(...data, ...part, "--out", at("part"))).code).toBe(0);
    const frozen = [...tensorsOf(RESNET).keys()].filter((name) => !/^(layer2|fc)\./.test(name));
    for (const method of ["retrain", "scrub"]) {
      const done = await unlearn("part", `part-${method}`, "--forget", "class:1", "--method", method);
      expect([method, done.code]).toEqual([method, 0]);
      const [before, after] = [tensorsOf(RESNET), tensorsOf(at(`part-${method}`, "model.onnx"))];
      for (const name of frozen) expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      expect(after.get("fc.weight")).not.toBe(before.get("fc.weight"));
    }
  });
});

describe("a model with adapters", { timeout: PATIENT_MS }, () => {
  it.each([[], ["--unmerged"]])("unlearns in its adapters alone, and again from that %j", async (...more) => {
    const lora = ["--lora", "*.weight", "--lora-rank", "2", "--lora-alpha", "2", ...more.flat()];
    const data = ["--data", `csv:${at("trees.csv")}?label=kind`, "--model", "mlp:8"];
    const name = `lora${more.flat().length}`;
    expect((await train(...data, ...lora, "--out", at(name))).code).toBe(0);
    const once = await unlearn(name, `${name}-once`, "--forget", "random:0.1", "--method", "fine-tune");
    const twice = await unlearn(`${name}-once`, `${name}-twice`, "--forget", "class:2", "--method", "scrub");
    expect([once.code, twice.code]).toEqual([0, 0]);
    const [before, after] = [name, `${name}-twice`].map((one) => tensorsOf(at(one, "model.onnx")));
    // Nothing but matrices gets adapters.
    const biases = [...(before?.keys() ?? [])].filter((tensor) => tensor.endsWith(".bias"));
    for (const bias of biases) expect(after?.get(bias)).toBe(before?.get(bias));
    expect(JSON.parse(readFileSync(at(`${name}-twice`, "run.json"), "utf8")).requests).toHaveLength(2);
  });

  it("says when they are not those of the model beside them", async () => {
    writeFileSync(
      at("lora0", "adapters.safetensors"),
      readFileSync(at("lora0-once", "adapters.safetensors")),
    );
    const failed = await unlearn("lora0", "x", "--forget", "random:0.1", "--method", "fine-tune");
    expect([failed.code, failed.json()]).toMatchObject([5, { error: { code: "LETHE_INTEGRITY_MODEL" } }]);
  });
});

describe("a model trained in shards", { timeout: PATIENT_MS }, () => {
  it("forgets exactly, twice in a row, and refuses what would not be", async () => {
    const data = ["--data", `csv:${at("trees.csv")}?label=kind`, "--model", "mlp:8"];
    const made = await train(...data, "--sisa", "shards=3,slices=2", "--out", at("shards"));
    expect(made.json()).toMatchObject({ sisa: { shards: 3, slices: 2 }, slicesTrained: 6 });
    const request = ["--forget", "random:0.03", "--method", "sisa"];
    const soon = (await unlearn("shards", "soon", ...request)).json();
    const slow = (await unlearn("shards", "slow", ...request, "--set", "fromScratch=true")).json();
    expect(soon.digest).toBe(slow.digest);
    expect(soon.digest).not.toBe(made.json().digest);
    expect(soon.gradientEvaluations).toBeLessThan(slow.gradientEvaluations as number);
    const again = ["--forget", "class:1", "--method", "sisa"];
    const next = (await unlearn("soon", "next", ...again)).json();
    expect(next.digest).toBe((await unlearn("slow", "next-slow", ...again)).json().digest);
    const other = await unlearn("shards", "other", "--forget", "class:1", "--method", "scrub");
    expect(other.json()).toMatchObject({ error: { code: "LETHE_USAGE_SHARDS" } });
  });
});

function textOf({ shape, data }: Tensor): string {
  return `${shape}: ${data}`;
}
