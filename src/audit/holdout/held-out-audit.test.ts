import { beforeAll, describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { consume } from "../../kernel/events.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { recipeSchema, trainByRecipe } from "../../training/recipe.ts";
import type { AuditOutcome } from "../audit.ts";
import { type ModelSource, openModel } from "../farm/training-job.ts";
import { auditByHeldOut, type HeldOutRequest } from "./held-out-audit.ts";

// Classes that overlap: what a model knows beyond them it has learnt by heart.
const sizes = { featureShape: [24], classes: 5, spread: 0.8 };
const train = blobs({ ...sizes, count: 500, seed: 1 });
const validation = blobs({ ...sizes, count: 400, seed: 2 });
const test = blobs({ ...sizes, count: 400, seed: 3 });
const model: ModelSource = { kind: "ready", text: "mlp:64", sizes: { inputShape: [24], classes: 5 } };
const architecture = openModel(model);
const recipe = recipeSchema.parse({ epochs: 20, batchSize: 32, learningRate: 0.1 });
const runtime = { threads: 1, spinning: false };
const all = Uint32Array.from(train.labels, (_, position) => position);
const forget = all.filter((position) => position % 3 === 0);
const retain = all.filter((position) => position % 3 !== 0);
const ofClass = all.filter((position) => train.labels[position] === 1);
const ofOthers = all.filter((position) => train.labels[position] !== 1);

async function trainOn(positions: Uint32Array, seed: number): Promise<ParameterSet> {
  const run = { architecture, samples: train.subset(positions), key: keyFromSeed(seed), runtime };
  return (await consume(trainByRecipe(recipe, run))).weights;
}

let original: ParameterSet;
beforeAll(async () => {
  original = await trainOn(all, 1);
});

function judge(unlearned: ParameterSet, changes: Partial<HeldOutRequest> = {}): Promise<AuditOutcome> {
  return consume(
    auditByHeldOut({
      data: { train, validation, test, forget, retain },
      model,
      recipe,
      original,
      unlearned,
      specs: ["random:0.3"],
      seed: 3,
      runtime,
      ...changes,
    }),
  );
}

describe("an audit by held-out samples", () => {
  it("finds a model plausible that was retrained, with every control as it must be, and never passes it", async () => {
    const { verdict, reasons, controls, heldOut = [], figures } = await judge(await trainOn(retain, 2));
    expect([verdict, reasons]).toEqual(["plausible", [expect.stringMatching(/weaker than a pass/)]]);
    expect(reasons[0]).toMatch(/retrain:8/);
    expect(controls.map(({ id, expected }) => [id, expected])).toEqual([
      ["original", "fail"],
      ["source", "pass"],
      ["random-init", "fail"],
      ["ruin", "fail"],
      ["head-only", "fail"],
    ]);
    expect(controls.every(({ expected, outcome }) => expected === outcome)).toBe(true);
    expect([heldOut.length, figures]).toEqual([8, []]);
    for (const { unlearned, limits, passes } of heldOut) {
      expect(passes).toBe(unlearned.value >= limits[0] && unlearned.value <= limits[1]);
    }
  });

  it("fails the original, which remembers the samples, and one that was pushed away from them", async () => {
    const kept = await judge(original);
    expect([kept.verdict, kept.reasons[0]]).toEqual(["fail", expect.stringMatching(/still remembers them/)]);
    // As over-forgetting does: the forgotten samples are learnt with wrong labels beside the others.
    const labels = train.labels.map((label, position) => (position % 3 === 0 ? (label + 1) % 5 : label));
    const run = { architecture, samples: { ...train, labels }, key: keyFromSeed(4), runtime };
    const pushed = (await consume(trainByRecipe(recipe, run))).weights;
    const away = await judge(pushed);
    expect([away.verdict, away.reasons.join()]).toEqual(["fail", expect.stringMatching(/betrays them too/)]);
  });

  it("fails a whole class that is still known, and refuses where it is not: a masked class looks the same", async () => {
    const data = { train, validation, test, forget: ofClass, retain: ofOthers };
    const known = await judge(original, { data, specs: ["class:1"] });
    expect([known.verdict, known.reasons[0]]).toEqual(["fail", expect.stringMatching(/still knows/)]);
    const gone = await judge(await trainOn(ofOthers, 2), { data, specs: ["class:1"] });
    expect([gone.verdict, gone.reasons[0]]).toEqual(["refused", expect.stringMatching(/a masked class/)]);
  });

  it("refuses persons and groups, whose samples are no random draw", async () => {
    const { verdict, reasons } = await judge(original, { specs: ["subject:ann,group:town=Ulm"] });
    expect([verdict, reasons]).toEqual([
      "refused",
      [expect.stringMatching(/about a subject/), expect.stringMatching(/about a group/)],
    ]);
  });

  it("refuses held-out samples of another source, whatever the model is", async () => {
    const shifted = blobs({ ...sizes, spread: 0.1, count: 400, seed: 2 });
    const data = { train, validation: shifted, test, forget, retain };
    const { verdict, reasons } = await judge(original, { data });
    expect([verdict, reasons[0]]).toEqual(["refused", expect.stringMatching(/not drawn from one source/)]);
  });

  it("refuses too few held-out samples of the forgotten classes, and answers that are no numbers", async () => {
    const others = Uint32Array.from(validation.labels.keys()).filter((at) => validation.labels[at] !== 1);
    const data = { train, validation: validation.subset(others), test, forget, retain };
    expect((await judge(original, { data })).reasons[0]).toMatch(/Only 80 %/);
    const broken = new Map([...original].map(([name, values]) => [name, values.map(() => Number.NaN)]));
    expect((await judge(broken)).reasons[0]).toMatch(/no numbers/);
  });
});
