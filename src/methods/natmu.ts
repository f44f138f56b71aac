import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { joinedSamples } from "../data/joined.ts";
import { samplesOf } from "../data/samples.ts";
import { LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key, randomStream } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Architecture } from "../models/architecture.ts";
import { headOf } from "../models/head.ts";
import { crossEntropy } from "../training/losses.ts";
import { optimizerSchema } from "../training/optimizers.ts";
import { learningRateFactor } from "../training/schedules.ts";
import { defineMethod } from "./define-method.ts";
import { iterate, ordersOf } from "./iterative.ts";
import { withFreshLayers } from "./parts/fresh-layers.ts";
import { gradualMasks } from "./parts/gradual-masks.ts";
import { fedAs, minibatches } from "./parts/minibatches.ts";
import { rankedClasses } from "./parts/ranked-classes.ts";

/** Hybrids per forget sample: as many as there are masks. */
const HYBRIDS = 4;

/**
 * Trains on with hybrids of forget and retain samples that carry the retain sample's true label:
 *
 *   x_k = m_k∘x_f + (1 − m_k)∘x_{r,k},  y_k = label of x_{r,k},  k = 1 … 4
 *
 * x_{r,k} is of the k-th likeliest wrong class of x_f, each retain sample serving once; m_k are gradual masks. The model may rely
 * on the evidence for y_k that is really there instead of learning a wrong answer.
 *
 * Source: Z. He et al., arXiv 2405.15495 (TPAMI 2025). `delta` = 1 is plain relabelling. Departure: blended in floating point,
 * not rounded to bytes.
 */
export const natmu = defineMethod({
  id: "natmu",
  title: "Hybrids that blend forget samples into retain samples (NatMU)",
  references: ["arXiv:2405.15495"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None; every label it trains on is true of part of its sample.",
  avoidWhen:
    "Features have no meaning position by position, or the retain set is less than a few times the forget set.",
  config: z.strictObject({
    epochs: z.int().min(1).default(2),
    /** The authors take 128 of 50,000; on a few thousand samples an epoch of such steps is too short to learn anything new. */
    batchSize: z.int().min(1).default(32),
    learningRate: z.number().positive().default(3e-3),
    optimizer: optimizerSchema.prefault({ id: "adamw", weightDecay: 5e-4 }),
    /** Added to the masks: more of the forget sample under the other label. */
    delta: z.number().min(-1).max(1).default(-0.05),
    /** Draw the last layer anew before, as the authors do for whole classes; `auto`: for whole classes. */
    freshHead: z.enum(["auto", "yes", "no"]).default("auto"),
  }),
  grid: { delta: [0.3, 0.1, -0.19], learningRate: [1e-3], freshHead: ["no"], batchSize: [128] },
  async *run(request, config) {
    const { workbench, architecture, forget, retain, weights } = request;
    const { batchSize, epochs } = config;
    const key = deriveKey(request.key, "natmu");
    const hybrids = await hybridsOf(request, config.delta, deriveKey(key, "hybrids"));
    const mixed = joinedSamples(retain, hybrids);
    const step = await workbench.step({
      optimizer: config.optimizer,
      objective: (context) => ({
        loss: crossEntropy(context.forward(context.features("mixed")).logits, context.labels("mixed")),
      }),
    });
    const isFresh =
      config.freshHead === "yes" || (config.freshHead === "auto" && request.forgetClasses.length > 0);
    const perEpoch = Math.ceil(mixed.count / batchSize);
    const rateAt = (done: number): number =>
      config.learningRate * learningRateFactor({ id: "cosine", end: 0 }, done, epochs * perEpoch);
    const end = yield* iterate(request, {
      epochs,
      start: isFresh
        ? withFreshLayers(architecture, weights, deriveKey(key, "head"), [headOf(architecture)])
        : weights,
      steps: (epoch) =>
        ordersOf(step, fedAs("mixed", minibatches(mixed, { batchSize, key, epoch })), (index) =>
          rateAt(epoch * perEpoch + index),
        ),
    });
    return { ...end, details: { hybrids: hybrids.count, forget: forget.count } };
  },
});

interface HybridRequest {
  readonly workbench: { logitsOf(weights: ParameterSet, samples: Samples): Promise<Float32Array> };
  readonly architecture: Architecture;
  readonly weights: ParameterSet;
  readonly forget: Samples;
  readonly retain: Samples;
  readonly forgetClasses: readonly number[];
}

async function hybridsOf(request: HybridRequest, delta: number, key: Key): Promise<Samples> {
  const { architecture, forget, retain } = request;
  const logits = await request.workbench.logitsOf(request.weights, forget);
  const ranked = rankedClasses(
    logits,
    forget.labels,
    architecture.classes,
    architecture.classes,
    request.forgetClasses,
  );
  const partners = partnersOf(ranked, retain, key);
  const masks = gradualMasks(forget.featureShape, delta);
  const width = forget.featureLength;
  const values = new Float32Array(partners.length * width);
  const [own, other] = [new Float32Array(width), new Float32Array(width)];
  for (const [index, { sample, mask, partner }] of partners.entries()) {
    forget.gather([sample], own);
    retain.gather([partner], other);
    const weights = masks[mask] as Float32Array;
    for (let at = 0; at < width; at++) {
      const share = weights[at] as number;
      values[index * width + at] = share * (own[at] as number) + (1 - share) * (other[at] as number);
    }
  }
  return samplesOf({
    idPrefix: "hybrid",
    featureShape: forget.featureShape,
    features: { values },
    labels: Int32Array.from(partners, ({ partner }) => retain.labels[partner] as number),
    classCount: Math.max(forget.classCount, retain.classCount),
  });
}

/** A forget sample, one of the masks, and the retain sample it is blended with. */
interface Pairing {
  readonly sample: number;
  readonly mask: number;
  readonly partner: number;
}

/**
 * Retain samples for each forget sample, a mask each: of its likeliest classes that still have unused ones, another class for
 * every mask where there are enough. Fewer masks than four serve where retain samples are short.
 */
function partnersOf(ranked: readonly (readonly number[])[], retain: Samples, key: Key): Pairing[] {
  const hybrids = Math.min(HYBRIDS, ranked[0]?.length ?? 0, Math.floor(retain.count / ranked.length));
  if (hybrids === 0) {
    throw new LetheError(
      "data",
      "DATA_RETAIN",
      `Expected at least as many retain as forget samples, got ${retain.count} and ${ranked.length}. Use another method.`,
    );
  }
  const stock = retain.positionsByClass().map((positions, label) => {
    const order = randomStream(deriveKey(key, "partners", label)).permutation(positions.length);
    return Array.from(order, (at) => positions[at] as number);
  });
  return ranked.flatMap((classes, sample) => {
    const partners: number[] = [];
    // Round the ranking again where classes have run out.
    for (let round = 0; round < HYBRIDS && partners.length < hybrids; round++) {
      for (const label of classes) {
        const partner = partners.length < hybrids ? stock[label]?.pop() : undefined;
        if (partner !== undefined) partners.push(partner);
      }
    }
    return partners.map((partner, mask) => ({ sample, mask, partner }));
  });
}
