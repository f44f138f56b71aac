import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseModel } from "../../src/onnx/read-model.ts";
import { decodeTensors } from "../../src/storage/safetensors.ts";
import { lethe } from "./lethe.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lethe-brought-"));
  const rows = Array.from(
    { length: 40 },
    (_, row) => `${row % 7},${row % 3},${row % 5},${row % 2},kind${row % 3}`,
  );
  writeFileSync(join(folder, "table.csv"), `a,b,c,d,kind\n${rows.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("a brought model on the command line", () => {
  it("is differentiated in part: the graph takes and gives that part alone", async () => {
    const out = join(folder, "part.onnx");
    const made = await lethe([
      "differentiate",
      fixture("residual-training.onnx"),
      "--train",
      "fc.*",
      "--train",
      "down.1.*",
      "--freeze",
      "fc.bias",
      "--out",
      out,
      "--json",
    ]);
    expect(made.code).toBe(0);
    const { trainable, inputs, outputs } = made.json() as {
      trainable: string[];
      inputs: { name: string }[];
      outputs: { name: string }[];
    };
    expect(trainable.toSorted()).toEqual(["down.1.bias", "down.1.weight", "fc.weight"]);
    const statistics = ["down.1.running_mean", "down.1.running_var"];
    expect(inputs.map(({ name }) => name).toSorted()).toEqual(
      ["image", "labels", ...trainable, ...statistics].toSorted(),
    );
    expect(outputs.map(({ name }) => name).toSorted()).toEqual(
      ["loss", ...trainable.map((name) => `grad:${name}`)].toSorted(),
    );
    expect(parseModel(readFileSync(out)).graph?.initializer.map(({ name }) => name)).toContain("stem.weight");
  });

  it("is told a pattern that fits nothing", async () => {
    const failed = await lethe([
      "differentiate",
      fixture("residual-training.onnx"),
      "--train",
      "fx.*",
      "--json",
    ]);
    expect(failed.code).toBe(2);
    expect(failed.json()).toMatchObject({
      error: { code: "LETHE_USAGE_PATTERN", message: expect.stringContaining("`fc.bias`") },
    });
  });

  it("gets adapters with their starting values, and is written with them added or apart", async () => {
    const graph = join(folder, "lora.onnx");
    const made = await lethe([
      "differentiate",
      fixture("perceptron-words.onnx"),
      "--lora",
      "coefficient*",
      "--lora-rank",
      "2",
      "--out",
      graph,
      "--json",
    ]);
    expect(made.json()).toMatchObject({ initial: join(folder, "lora.initial.safetensors") });
    const { tensors } = decodeTensors(readFileSync(join(folder, "lora.initial.safetensors")), "initial");
    expect([...tensors.keys()].toSorted()).toEqual((made.json().trainable as string[]).toSorted());

    const train = (...more: string[]) =>
      lethe([
        "train",
        "--data",
        `csv:${join(folder, "table.csv")}?label=kind`,
        "--model",
        fixture("perceptron-words.onnx"),
        "--epochs",
        "1",
        "--lora",
        "coefficient*",
        "--lora-rank",
        "2",
        "--json",
        ...more,
      ]);
    const [merged, apart] = [join(folder, "merged"), join(folder, "apart")];
    expect((await train("--out", merged)).code).toBe(0);
    expect((await train("--out", apart, "--unmerged")).code).toBe(0);
    const before = parseModel(readFileSync(fixture("perceptron-words.onnx"))).graph;
    const namesIn = (path: string): string[] | undefined =>
      parseModel(readFileSync(join(path, "model.onnx")))
        .graph?.initializer.map(({ name }) => name)
        .toSorted();
    expect(namesIn(merged)).toEqual(before?.initializer.map(({ name }) => name).toSorted());
    expect(namesIn(apart)).toContain("coefficient1.lora_B");
  });
});
