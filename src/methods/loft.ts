import { Matrix } from "ml-matrix";
import { z } from "zod";
import type { Samples } from "../data/dataset.ts";
import { LetheError, throwIfCancelled } from "../kernel/errors.ts";
import { deriveKey } from "../kernel/key.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import { headIndex, headOf, headWidth } from "../models/head.ts";
import type { DenseLayer } from "../models/layers.ts";
import type { FeatureRows } from "../training/features/features.ts";
import { covariance, type Moments, secondMoment } from "../training/features/moments.ts";
import { defineMethod } from "./define-method.ts";
import {
  descend,
  type ForgettingSubspace,
  fixedPoint,
  judge,
  objectiveOf,
  overTrace,
  reduceTo,
} from "./parts/forgetting-subspace.ts";

/**
 * Puts an orthogonal projection between features and head that keeps the variance of the retain samples' features and drops that of
 * the forget samples': J_rm the share of the first that is lost, J_fg that of the second that is kept,
 *
 *   min over UᵀU = I of J_rm² + w·J_fg²,   then W ← W·UUᵀ
 *
 * A forward pass over the data, no gradients of the model.
 *
 * Source: K. Fang et al., arXiv 2601.22456 (2026), and the authors' code: Riemannian Adam with one second moment for the matrix; w = 1
 * and covariances about each set's mean. On features as narrow as a small network's that gives up a fifth of the retain samples'
 * variance, so here raw second moments are the default, which hold the class mean too, and w and the rank are chosen: the largest w of 1,
 * 0.1 and 0.01 with a rank that costs the retain samples less than `tolerance`, and the least such rank. The fixed-point solver and the
 * folding into W are ours. Features of more than 128 numbers are first reduced to the 128 leading directions of both moments together,
 * which hold nearly all of either. Later requests project what earlier ones left. Whoever keeps the original head can undo it, and the
 * features themselves still tell the forget samples apart.
 */
export const loft = defineMethod({
  id: "loft",
  title: "A feature subspace without the forget samples (LOFT)",
  references: ["arXiv:2601.22456"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  guarantee: "None: only the head changes, the features keep what they knew.",
  avoidWhen: "Someone may train a new head on the model's features, or single samples are to be forgotten.",
  config: z.strictObject({
    /** s; chosen when left out. */
    rank: z.int().min(1).optional(),
    /** w; chosen when left out. */
    forgetWeight: z.number().positive().optional(),
    /** What the choice of weight and rank may cost the retain samples' accuracy. */
    tolerance: z.number().min(0).max(1).default(0.01),
    steps: z.int().min(1).default(100),
    learningRate: z.number().positive().default(1),
    solver: z.enum(["descent", "fixed-point", "both"]).default("descent"),
    /** Covariances about each set's mean as in the paper, or raw second moments, which hold the class mean too. */
    moment: z.enum(["centred", "raw"]).default("raw"),
  }),
  grid: { moment: ["centred"], tolerance: [0.005, 0.02] },
  async *run(request, config) {
    const { workbench, architecture, forget, retain, weights, signal } = request;
    const head = headOf(architecture);
    const size = headWidth(head);
    if (config.rank !== undefined && config.rank > size) {
      throw new LetheError(
        "usage",
        "USAGE_CONFIG",
        `Expected \`rank\` of at most ${size}, the features of \`${architecture.id}\`, got ${config.rank} in method \`loft\`.`,
      );
    }
    yield { type: "phase", name: "Features", index: 0, of: 2 };
    const retained = await workbench.featuresOf(weights, retain);
    requireFinite(retained.rows);
    const momentsOf = async (samples: Samples): Promise<Moments> => {
      const found = await workbench.layerMomentsOf(weights, samples, [head.weight.name]);
      return found.get(head.weight.name) as Moments;
    };
    const covariances = {
      retain: varianceOf(await momentsOf(retain), config.moment),
      forget: varianceOf(await momentsOf(forget), config.moment),
    };
    throwIfCancelled(signal);
    yield { type: "phase", name: "Subspace", index: 1, of: 2 };
    const key = deriveKey(request.key, "loft");
    const { reduced, lift } = reduceTo(covariances, MOST_DIRECTIONS);
    const solve = ({ weight, rank }: Candidate): ForgettingSubspace => {
      const found: ForgettingSubspace[] = [];
      if (config.solver !== "fixed-point") found.push(descend(reduced, rank, { ...config, weight, key }));
      if (config.solver !== "descent") found.push(fixedPoint(reduced, rank, weight));
      const best = found.reduce((first, other) =>
        objectiveOf(other, weight) < objectiveOf(first, weight) ? other : first,
      );
      return judge(lift(best.basis), covariances);
    };
    const accuracyAfter = (basis: Matrix): number =>
      headAccuracy(folded(weights, head, basis), head, retained, retain.labels, architecture.classes);
    const before = accuracyAfter(Matrix.eye(size));
    const most = reduced.retain.rows;
    const candidates = candidatesOf(config, architecture.classes - request.forgetClasses.length, most);
    let chosen: (Candidate & { readonly subspace: ForgettingSubspace; readonly drop: number }) | undefined;
    for (const [index, candidate] of candidates.entries()) {
      throwIfCancelled(signal);
      const subspace = solve(candidate);
      const drop = before - accuracyAfter(subspace.basis);
      yield { type: "step", step: index + 1, of: candidates.length, scalars: { ...candidate, drop } };
      if (chosen === undefined || drop < chosen.drop) chosen = { ...candidate, subspace, drop };
      if (drop < config.tolerance) break;
    }
    const { weight, subspace } = chosen as NonNullable<typeof chosen>;
    const { basis, retainLoss, forgetKept } = subspace;
    return {
      weights: folded(weights, head, basis),
      details: { weight, rank: basis.columns, features: size, retainLoss, forgetKept },
    };
  },
});

/** More directions than these are not searched: the search grows with their square. */
const MOST_DIRECTIONS = 128;

function varianceOf(moments: Moments, moment: "centred" | "raw"): Matrix {
  if (!moments.mean.every(Number.isFinite)) throw notFinite();
  const isCentred = moment === "centred" && moments.count > 1;
  return overTrace(moments.mean.length, isCentred ? covariance(moments) : secondMoment(moments));
}

/** A weight of the forget samples' variance and a rank to be tried. */
interface Candidate {
  readonly weight: number;
  readonly rank: number;
}

/** The weights tried, from the paper's down. */
const WEIGHTS = [1, 0.1, 0.01] as const;

/** Weights from the largest down, and for each, ranks from as many as classes remain, doubled up to all but one. */
function candidatesOf(
  { rank, forgetWeight }: { readonly rank?: number | undefined; readonly forgetWeight?: number | undefined },
  classes: number,
  size: number,
): Candidate[] {
  const ranks: number[] = [];
  if (rank !== undefined) ranks.push(Math.min(rank, size));
  else for (let next = Math.min(classes, size); next < size; next *= 2) ranks.push(next);
  if (ranks.length === 0) ranks.push(size);
  const weights = forgetWeight === undefined ? WEIGHTS : [forgetWeight];
  return weights.flatMap((weight) => ranks.map((own) => ({ weight, rank: own })));
}

/** The weights with W·UUᵀ for W (features as rows of the products). */
function folded(weights: ParameterSet, head: DenseLayer, basis: Matrix): ParameterSet {
  const projection = basis.mmul(basis.transpose());
  const size = headWidth(head);
  const classes = head.weight.length / size;
  const old = weights.get(head.weight.name) as Float32Array;
  const values = new Float32Array(old.length);
  for (let label = 0; label < classes; label++) {
    for (let feature = 0; feature < size; feature++) {
      let sum = 0;
      for (let other = 0; other < size; other++) {
        sum += projection.get(feature, other) * (old[headIndex(head, other, label)] as number);
      }
      values[headIndex(head, feature, label)] = sum;
    }
  }
  return new Map(weights).set(head.weight.name, values);
}

function headAccuracy(
  weights: ParameterSet,
  head: DenseLayer,
  { rows, size }: FeatureRows,
  labels: Int32Array,
  classes: number,
): number {
  const weight = weights.get(head.weight.name) as Float32Array;
  const bias = head.bias === undefined ? undefined : weights.get(head.bias.name);
  let hits = 0;
  labels.forEach((label, row) => {
    let [best, most] = [0, Number.NEGATIVE_INFINITY];
    for (let candidate = 0; candidate < classes; candidate++) {
      let score = bias?.[candidate] ?? 0;
      for (let feature = 0; feature < size; feature++) {
        score +=
          (rows[row * size + feature] as number) * (weight[headIndex(head, feature, candidate)] as number);
      }
      if (score > most) [best, most] = [candidate, score];
    }
    if (best === label) hits++;
  });
  return hits / labels.length;
}

function requireFinite(rows: Float32Array): void {
  if (!rows.every(Number.isFinite)) throw notFinite();
}

function notFinite(): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_NOT_FINITE",
    "Expected finite features, got NaN or infinite ones. Look for NaN in the samples.",
  );
}
