import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadParts } from "../../data/load-parts.ts";
import type { DataParts } from "../../data/parts.ts";
import { FIRST_TOKEN } from "../../data/text/tokenizer.ts";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { recipeSchema, trainByRecipe } from "../../training/recipe.ts";
import { type AuditRequest, audit } from "../audit.ts";
import { type ModelSource, openModel } from "../farm/training-job.ts";

const POSITIONS = 8;
const runtime = { threads: 1, spinning: false };
const recipe = recipeSchema.parse({
  epochs: 12,
  batchSize: 16,
  learningRate: 0.02,
  optimizer: { id: "adam" },
});

let directory: string;
let request: Omit<AuditRequest, "unlearned">;
let retrained: ParameterSet;

/** A language of letters, and one of digits that is to be forgotten: whoever has not read it cannot guess it. */
function writeTexts(path: string): void {
  const stream = randomStream(keyFromSeed(1));
  const words = ["ash", "elm", "oak", "fir"];
  const numbers = ["121", "343", "787", "909"];
  const line = (list: readonly string[]): string =>
    [0, 1].map(() => list[stream.below(list.length)] as string).join(" ");
  const lines = Array.from({ length: 140 }, (_, at) => line(at % 3 === 0 ? numbers : words));
  writeFileSync(path, `${lines.join("\n")}\n`);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-texts-"));
  const path = join(directory, "texts.txt");
  writeTexts(path);
  const data = `text:${path}?documents=lines&length=${POSITIONS}&test=0.4`;
  const { dataset, parts } = await loadParts({ data, validation: 0 });
  const tokens = dataset.tokenizer?.size as number;
  const model: ModelSource = {
    kind: "ready",
    text: "gpt:depth=1,width=8,heads=2",
    sizes: {
      inputShape: dataset.featureShape,
      classes: tokens,
      vocabulary: tokens,
    },
  };
  const all = Uint32Array.from(parts.train.labels, (_, position) => position);
  const [forget, retain] = [
    all.filter((position) => isDigits(parts, position)),
    all.filter((position) => !isDigits(parts, position)),
  ];
  const trainOn = async (positions: Uint32Array, seed: number): Promise<ParameterSet> => {
    const run = { samples: parts.train.subset(positions), key: keyFromSeed(seed), runtime };
    return (await consume(trainByRecipe(recipe, { ...run, architecture: openModel(model) }))).weights;
  };
  request = {
    data: { ...parts, forget, retain },
    model,
    recipe,
    original: await trainOn(all, 1),
    references: 4,
    seed: 1,
    runtime,
    farm: { store: join(directory, "store"), workers: 2 },
  };
  retrained = await trainOn(retain, 2);
});
afterAll(() => rmSync(directory, { recursive: true }));

function isDigits({ train }: DataParts, position: number): boolean {
  const tokens = new Float32Array(POSITIONS);
  train.gather([position], tokens);
  // A byte's token comes after the special ones.
  const digits = Array.from("0123456789", (digit) => FIRST_TOKEN + digit.charCodeAt(0));
  return tokens.some((token) => digits.includes(token));
}

describe("an audit of a language model", () => {
  it("fails one that forgot nothing, and says in which way it still knows the texts", async () => {
    const { verdict, reasons, figures } = await consume(audit({ ...request, unlearned: request.original }));
    expect(verdict).toBe("fail");
    expect(reasons.join(" ")).toMatch(/forgotten texts/);
    expect(figures.map(({ measure }) => measure.id)).toEqual(
      expect.arrayContaining(["forget-loss", "min-k", "loss-distance", "trace", "test-loss", "privleak"]),
    );
  });

  it("does not fail one that was retrained", async () => {
    const { verdict, notes } = await consume(audit({ ...request, unlearned: retrained }));
    expect(verdict).not.toBe("fail");
    expect(notes.join(" ")).toMatch(/truth ratio needs paraphrased/);
  });

  it("refuses what it cannot measure of texts", async () => {
    await expect(consume(audit({ ...request, unlearned: retrained, relearn: true }))).rejects.toMatchObject({
      code: "LETHE_USAGE_AUDIT",
    });
  });
});
