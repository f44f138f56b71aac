import { gradients } from "../../autodiff/gradients.ts";
import { add, mul, reduceSum, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { crossEntropy } from "../../training/losses.ts";
import type { ObjectiveContext, ParameterValues } from "../../training/objective-context.ts";
import { type Harmonised, type Harmony, harmonise } from "./harmonise.ts";
import { type MembershipModel, membershipLosses } from "./membership-models.ts";
import { type VirtualStepOptions, virtualStep } from "./virtual-step.ts";

/** The two objectives of LTU. */
export interface MetaObjectives {
  /** J_r, a scalar. */
  readonly retain: Value;
  /** J_f, a scalar. */
  readonly forget: Value;
}

/** What the objectives are made with. */
export interface MetaOptions {
  readonly step: VirtualStepOptions;
  /** N: batches of retain samples, fed as `query:0`, `query:1` … */
  readonly queries: number;
  /** w: how much each test on retain samples counts beside the tune loss. */
  readonly testWeight: number;
  readonly models: readonly MembershipModel[];
}

/**
 * LTU's objectives at θ, each a loss here (tune) and losses elsewhere (test) after a virtual step θ ↦ θ − α·∇tune(θ):
 *
 *   J_r = L(θ, S) + w·Σᵢ L(θ − α·∇L(θ, S), Qᵢ),   L the cross-entropy, S forget samples with wrong labels, Qᵢ retain samples
 *   J_f = F_s(θ, A) + Σ_{q≠s} F_q(θ − α·∇F_s(θ, A), A′),   F_k membership losses, A and A′ forget samples
 *
 * S and A are the same samples under other labels, so that one forward pass serves both. They are fed as `forget` with `wrong` labels
 * beside the true ones, A′ as `other`, and s as the 0/1 vector `support` [models].
 *
 * Source: M. H. Huang, L. G. Foo, J. Liu, arXiv 2407.10494.
 */
export function metaObjectives(context: ObjectiveContext, options: MetaOptions): MetaObjectives {
  const { step, queries, testWeight, models } = options;
  // Virtual weights and batches of few classes must not move the running statistics.
  const scores = (batch: string, weights: ParameterValues): Value =>
    context.forward(context.features(batch), { weights, mode: "inference" }).logits;
  const logits = scores("forget", context.weights);

  const tune = crossEntropy(logits, context.tensor("forget:wrong", ["forget"], "int64"));
  const tuned = virtualStep(context, tune, step);
  const tests = Array.from({ length: queries }, (_, index) => {
    const query = `query:${index}`;
    return crossEntropy(scores(query, tuned), context.labels(query));
  });

  const support = context.tensor("support", [models.length]);
  const told = membershipLosses(context, models, logits, context.labels("forget"));
  const hide = reduceSum(mul(told, support));
  const hidden = virtualStep(context, hide, step);
  const elsewhere = membershipLosses(context, models, scores("other", hidden), context.labels("other"));
  return {
    retain: add(tune, mul(tests.reduce(add), testWeight)),
    forget: add(hide, reduceSum(mul(elsewhere, sub(1, support)))),
  };
}

/** The gradients of both objectives, harmonised. */
export function metaGradients(
  context: ObjectiveContext,
  { retain, forget }: MetaObjectives,
  harmony: Harmony,
): Harmonised {
  const names = [...context.parameters.keys()];
  const gradientsOf = (loss: Value): ParameterValues => {
    const slopes = gradients(loss, [...context.parameters.values()]);
    return new Map(names.map((name, index) => [name, slopes[index] as Value]));
  };
  return harmonise(gradientsOf(retain), gradientsOf(forget), harmony);
}
