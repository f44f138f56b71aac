import type { Samples } from "../../data/dataset.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import { inversionProbe } from "../../metrics/inversion-probe.ts";
import type { Architecture } from "../../models/architecture.ts";
import type { RuntimeOptions } from "../../runtime/program.ts";
import { compileValues } from "../../training/compiled-values.ts";
import { inputGradients } from "../../training/input-gradients.ts";
import { crossEntropies } from "../../training/losses.ts";
import type { AuditedModels } from "../audit.ts";
import type { AuditSets } from "../scored-model.ts";
import type { OfAudited } from "./of-audited.ts";
import { areImages, meanRow, type Picture, pictureOf, rowOf } from "./pictures.ts";

/** What model inversion draws out of each model for the class most of the forgotten samples have. */
export interface InversionEvidence extends OfAudited<InversionPicture> {
  readonly label: number;
  /** The mean of the forgotten samples of that class: what a model that remembers them would give away. */
  readonly mean: Picture;
}

/** A reconstruction. */
export interface InversionPicture extends Picture {
  /** Largest correlation with a forgotten sample and with an unseen one of the class, in [−1, 1]. */
  readonly forgetResemblance: number;
  readonly unseenResemblance: number;
  /** Chance that a forgotten sample resembles the picture more than an unseen one; ½: no more than strangers. */
  readonly auc: number;
}

/** Samples a picture is compared with. */
const MOST = 100;
/** Neighbouring pixels are alike; without this pull a picture is noise that only the model reads. With this value the original’s shows on Fashion-MNIST; no other was tried. */
const SMOOTHNESS = 0.02;

/** Attacks each model by inversion of the class's score; nothing for data that are no images or without unseen samples of that class. */
export async function inversionOf(
  architecture: Architecture,
  weights: AuditedModels["weights"],
  sets: AuditSets,
  key: Key,
  runtime: RuntimeOptions,
): Promise<InversionEvidence | undefined> {
  if (!areImages(sets.forget)) return undefined;
  const byClass = sets.forget.positionsByClass();
  const label = byClass.reduce(
    (most, rows, at) => (rows.length > (byClass[most]?.length ?? 0) ? at : most),
    0,
  );
  const ofLabel = (samples: Samples): Samples =>
    samples.subset((samples.positionsByClass()[label] ?? new Uint32Array()).subarray(0, MOST));
  const [forget, unseen] = [ofLabel(sets.forget), ofLabel(sets.unseen)];
  if (unseen.count === 0) return undefined;
  await using values = await compileValues(
    architecture,
    (context) => {
      const input = context.features("data");
      const { logits } = context.forward(input, { mode: "inference" });
      const losses = crossEntropies(logits, context.labels("data"));
      return { losses, slopes: inputGradients(losses, input) };
    },
    runtime,
  );
  const range = rangeOf(forget);
  const [, , columns] = sets.forget.featureShape;
  const probe = async (tensors: ParameterSet): Promise<InversionPicture> => {
    const found = await inversionProbe(
      {
        size: forget.featureLength,
        range,
        ...(columns !== undefined && { columns }),
        async gradient(features) {
          const run = await values.run(tensors, {
            data: { features, labels: BigInt64Array.of(BigInt(label)) },
          });
          return { loss: Number(run.losses?.[0]), gradient: run.slopes as Float32Array };
        },
      },
      rowsOf(forget),
      rowsOf(unseen),
      deriveKey(key, "inversion"),
      { smoothness: SMOOTHNESS },
    );
    return {
      ...pictureOf(found.picture, forget.featureShape),
      forgetResemblance: found.forgetResemblance,
      unseenResemblance: found.holdoutResemblance,
      auc: found.auc,
    };
  };
  return {
    label,
    mean: pictureOf(meanRow(forget), forget.featureShape),
    original: await probe(weights.original),
    unlearned: await probe(weights.unlearned),
    retrained: await probe(weights.retrained[0] as ParameterSet),
  };
}

function rowsOf(samples: Samples): readonly Float32Array[] {
  return [...samples.labels.keys()].map((position) => rowOf(samples, position));
}

function rangeOf(samples: Samples): readonly [low: number, high: number] {
  const values = rowsOf(samples).flatMap((row) => [...row]);
  return [
    values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
    values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
  ];
}
