import { describe, expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import type { Samples } from "../../data/dataset.ts";
import { samplesOf } from "../../data/samples.ts";
import { digestArrays } from "../../kernel/digest.ts";
import { consume } from "../../kernel/events.ts";
import { deriveKey, keyFromSeed } from "../../kernel/key.ts";
import { predictedClasses } from "../../metrics/predictions.ts";
import { createModel } from "../../models/index.ts";
import { createPredictor } from "../predictor.ts";
import { createTrainer } from "../trainer.ts";
import { aggregateScores } from "./aggregate-scores.ts";
import { assignSlices } from "./assignment.ts";
import type { SisaCheckpoint, SisaCheckpoints } from "./checkpoint.ts";
import { epochsPerSlice, type SisaConfig, sisaSchema } from "./config.ts";
import { type SisaResult, trainSisa } from "./train-sisa.ts";

const RUNTIME = { threads: 1, spinning: false };
const KEY = keyFromSeed(11);
const SAMPLES = blobs({ count: 90, featureShape: [5], classes: 3, seed: 4 });
const CONFIG = sisaSchema.parse({ shards: 4, slices: 3, epochs: 4, batchSize: 8, learningRate: 0.1 });
const model = createModel("mlp:6", { inputShape: [5], classes: 3 });

/** Checkpoints in memory. */
function memory(): SisaCheckpoints & { readonly kept: Map<string, SisaCheckpoint> } {
  const kept = new Map<string, SisaCheckpoint>();
  return {
    kept,
    read: (shard, slice) => kept.get(`${shard}/${slice}`),
    write: (shard, slice, checkpoint) => void kept.set(`${shard}/${slice}`, checkpoint),
  };
}

interface Changes {
  readonly config?: SisaConfig;
  readonly signal?: AbortSignal;
  readonly onCheckpoint?: () => void;
}

async function update(
  samples: Samples,
  checkpoints: SisaCheckpoints,
  changes: Changes = {},
): Promise<SisaResult> {
  const { config = CONFIG, signal, onCheckpoint = () => {} } = changes;
  await using trainer = await createTrainer(model, config.optimizer, RUNTIME);
  const options = { architecture: model, trainer, samples, config, key: KEY, checkpoints };
  return await consume(
    trainSisa({ ...options, ...(signal === undefined ? {} : { signal }) }),
    (event) => event.type === "checkpoint" && onCheckpoint(),
  );
}

const digestOf = ({ shards }: SisaResult): string[] => shards.map((weights) => digestArrays(weights));
const without = (samples: Samples, forget: readonly number[]): Samples =>
  samples.subset(Array.from({ length: samples.count }, (_, at) => at).filter((at) => !forget.includes(at)));

/** The positions of a slice. */
const placed = (shard: number, slice: number): number[] => [...(places[shard]?.[slice] ?? [])];
// The key as trainSisa derives it.
const places = assignSlices(SAMPLES, CONFIG, deriveKey(KEY, "places"));

describe("training without some samples", () => {
  it("is bit for bit training from scratch without them, in every checkpoint, and costs less", async () => {
    const store = memory();
    const whole = await update(SAMPLES, store);
    const forget = [placed(1, 2)[0], placed(3, 1)[0], placed(3, 1)[1]] as number[];
    const left = without(SAMPLES, forget);
    const unlearned = await update(left, store);
    const fresh = memory();
    const scratch = await update(left, fresh);
    expect(digestOf(unlearned)).toEqual(digestOf(scratch));
    for (const [place, checkpoint] of fresh.kept) {
      expect(store.kept.get(place)?.recipe).toBe(checkpoint.recipe);
      expect(digestArrays(store.kept.get(place)?.weights ?? new Map())).toBe(
        digestArrays(checkpoint.weights),
      );
    }
    // The last slice of one shard, the last two of another.
    expect(unlearned.slicesTrained).toBe(3);
    expect(scratch.slicesTrained).toBe(12);
    expect(unlearned.gradientEvaluations).toBeLessThan(scratch.gradientEvaluations / 2);
    expect(unlearned.gradientEvaluationsFromScratch).toBe(scratch.gradientEvaluations);
    const [before, after] = [digestOf(whole), digestOf(unlearned)];
    expect(before.map((digest, shard) => digest === after[shard])).toEqual([true, false, true, false]);
  });

  it("counts the samples of every pass", async () => {
    const { gradientEvaluations } = await update(SAMPLES, memory());
    const unions = places.flatMap((slices) =>
      slices.map((_, last) => slices.slice(0, last + 1).flatMap((s) => [...s]).length),
    );
    expect(gradientEvaluations).toBe(unions.reduce((sum, count) => sum + count, 0) * epochsPerSlice(CONFIG));
  });

  it("is refused where it would empty a whole shard, which would have no model", async () => {
    const store = memory();
    await update(SAMPLES, store);
    const left = without(
      SAMPLES,
      [0, 1, 2].flatMap((slice) => placed(2, slice)),
    );
    await expect(update(left, store)).rejects.toMatchObject({ code: "LETHE_DATA_EMPTY" });
  });
});

describe("training again", () => {
  it("on the same samples takes everything over", async () => {
    const store = memory();
    const first = await update(SAMPLES, store);
    const again = await update(SAMPLES, store);
    expect(digestOf(again)).toEqual(digestOf(first));
    expect(again).toMatchObject({ slicesTrained: 0, gradientEvaluations: 0, slices: 12 });
  });

  it("after it was stopped goes on behind the last slice, to the same bits", async () => {
    const store = memory();
    const controller = new AbortController();
    let checkpoints = 0;
    const onCheckpoint = (): void => {
      if (++checkpoints === 5) controller.abort();
    };
    await expect(update(SAMPLES, store, { signal: controller.signal, onCheckpoint })).rejects.toMatchObject({
      kind: "cancelled",
    });
    const resumed = await update(SAMPLES, store);
    expect(resumed.slicesTrained).toBe(12 - 5);
    expect(digestOf(resumed)).toEqual(digestOf(await update(SAMPLES, memory())));
  });

  it("with other settings, or on changed features of the same names, takes nothing over that depends on them", async () => {
    const store = memory();
    await update(SAMPLES, store);
    const config = sisaSchema.parse({ ...CONFIG, learningRate: 0.2 });
    expect((await update(SAMPLES, store, { config })).slicesTrained).toBe(12);
    const [changed] = placed(0, 1) as [number];
    const spoilt: Samples = {
      ...SAMPLES,
      subset: (positions) => {
        const part = SAMPLES.subset(positions);
        return {
          ...part,
          gather: (rows, out) => {
            part.gather(rows, out);
            [...rows].forEach((row, at) => {
              if (positions[row] === changed) out[at * 5] = 0.125;
            });
          },
        };
      },
    };
    expect((await update(spoilt, store, { config })).slicesTrained).toBe(2);
  });
});

describe("places", () => {
  it("hold every sample once, and keep all samples about one person together", () => {
    expect(
      places
        .flat()
        .flatMap((positions) => [...positions])
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 90 }, (_, at) => at));
    const people = samplesOf({
      idPrefix: "p",
      featureShape: [1],
      features: { values: new Float32Array(60) },
      labels: new Int32Array(60),
      classCount: 1,
      subjects: {
        codes: Int32Array.from({ length: 60 }, (_, at) => at % 7),
        names: ["a", "b", "c", "d", "e", "f", ""],
      },
    });
    const placesOf = (person: string | undefined): number =>
      assignSlices(people, CONFIG, KEY)
        .flat()
        .filter((positions) => positions.some((position) => people.subject(position) === person)).length;
    for (const person of ["a", "b", "c", "d", "e", "f"]) expect(placesOf(person)).toBe(1);
    expect(placesOf(undefined)).toBeGreaterThan(1);
  });

  it("do not move when other samples are taken away", () => {
    const left = without(SAMPLES, [3, 50, 51]);
    const names = (samples: Samples): string[][] =>
      assignSlices(samples, CONFIG, KEY)
        .flat()
        .map((positions) => [...positions].map((at) => samples.id(at)));
    const gone = new Set([3, 50, 51].map((at) => SAMPLES.id(at)));
    expect(names(left)).toEqual(names(SAMPLES).map((slice) => slice.filter((id) => !gone.has(id))));
  });
});

describe("the models together", () => {
  it("are right more often than not about what they learnt", async () => {
    const { shards } = await update(SAMPLES, memory());
    await using predictor = await createPredictor(model, RUNTIME);
    const logits: Float32Array[] = [];
    for (const weights of shards) logits.push(await predictor.logitsOf(weights, SAMPLES));
    for (const aggregation of ["mean", "vote"] as const) {
      const predicted = predictedClasses(aggregateScores(logits, 3, aggregation), 3);
      const right = predicted.filter((label, at) => label === SAMPLES.labels[at]).length;
      expect(right / SAMPLES.count).toBeGreaterThan(0.6);
    }
  });

  it("decide by the mean of probabilities, or by counting heads", () => {
    const sure = Float32Array.of(0, Math.log(9)); // 0.1, 0.9
    const leaning = Float32Array.of(Math.log(1.5), 0); // 0.6, 0.4
    const models = [sure, leaning, leaning];
    expect([...aggregateScores(models, 2, "mean")]).toEqual(
      [1.3 / 3, 1.7 / 3].map((p) => expect.closeTo(p, 6)),
    );
    expect([...aggregateScores(models, 2, "vote")]).toEqual([2 / 3, 1 / 3].map((p) => expect.closeTo(p, 6)));
    expect([...aggregateScores([Float32Array.of(1e4, -1e4)], 2, "mean")]).toEqual([1, 0]);
    for (const wrong of [[], [sure, Float32Array.of(1)]]) {
      expect(() => aggregateScores(wrong, 2, "mean")).toThrowError(
        expect.objectContaining({ code: "LETHE_USAGE_AGGREGATION" }),
      );
    }
  });
});
