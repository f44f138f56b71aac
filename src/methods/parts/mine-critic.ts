import type { WeightSpec } from "../../models/architecture.ts";
import { buffer, lecunUniform } from "../../models/initializers.ts";
import { dense } from "../../models/modules/dense.ts";
import { type Pass, sequence, stateless } from "../../models/modules/module.ts";
import {
  add,
  concat,
  exp,
  greater,
  log,
  maximum,
  mul,
  oneHot,
  reduceMax,
  reduceMean,
  relu,
  stopGradient,
  sub,
  where,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/** What a critic is made for. */
export interface MineCriticSizes {
  /** Numbers in the features of a sample. */
  readonly width: number;
  readonly groups: number;
  /** Width of the hidden layer; the authors' 512 when left out. */
  readonly hidden?: number;
}

/** A function T of features and a group that is trained to tell pairs that belong together from others. */
export interface MineCritic {
  /** Its own weights, and the running mean as a buffer. */
  readonly weights: readonly WeightSpec[];
  /**
   * The estimate of a batch, I = mean T(z, g) − log mean exp T(z, g̃), in nats; `pass.nextBuffers` receives the running mean.
   *
   * @param features - z [batch, width]
   * @param groups - g, int64 [batch]
   * @param others - g̃, groups drawn without a look at z, int64 [batch]
   * @returns scalar
   */
  information(
    features: Value,
    groups: Value,
    others: Value,
    pass: Pick<Pass, "weightOf" | "nextBuffers">,
  ): Value;
}

/** The authors' hidden layer. */
const HIDDEN = 512;
/** The share of the newest batch in the running mean, as in the authors' code. */
const RATE = 0.01;
/** The running mean's logarithm before the first batch: below that of anything exp gives, and still a number. */
const BEFORE_FIRST = -1e30;

/**
 * A neural estimator of the mutual information between features z and groups g (MINE), the Donsker-Varadhan bound with a critic
 * T: [z, onehot(g)] → `hidden` → ReLU → 1.
 *
 * Its gradient is corrected for the bias of small batches: with e = mean exp T(z, g̃) and its running mean
 * m ← 0.01·e + 0.99·m (e itself in the first batch),
 *
 *   ∂/∂Tᵢ of the log term = exp(Tᵢ) / (m·B)   in place of   exp(Tᵢ) / (e·B)
 *
 * Source: M. Belghazi et al., arXiv 1801.04062 (ICML 2018), section 3.2; T. De Min et al., arXiv 2503.09330. Departure: m is kept as
 * its logarithm, so that a badly tuned critic does not leave the range of float32.
 *
 * @param name - what the names of its weights begin with
 */
export function mineCritic(name: string, { width, groups, hidden = HIDDEN }: MineCriticSizes): MineCritic {
  const network = sequence(
    dense(`${name}.hidden`, { inputs: width + groups, outputs: hidden, initial: lecunUniform }),
    stateless(relu),
    dense(`${name}.output`, { inputs: hidden, outputs: 1, initial: lecunUniform }),
  );
  const mean = `${name}.running-log-mean`;
  return {
    weights: [...network.weights, buffer(mean, [], BEFORE_FIRST)],
    information(features, own, others, pass) {
      const scoresOf = (members: Value): Value =>
        network.apply(concat([features, oneHot(members, groups)], 1), { ...pass, mode: "training" });
      const term = logMeanExp(scoresOf(others));
      const running = runningLogMean(pass.weightOf(mean), stopGradient(term));
      pass.nextBuffers.set(mean, running);
      return sub(reduceMean(scoresOf(own)), withGradient(term, exp(sub(term, running))));
    },
  };
}

/** log mean exp x over all of x. */
function logMeanExp(x: Value): Value {
  const largest = stopGradient(reduceMax(x));
  return add(log(reduceMean(exp(sub(x, largest)))), largest);
}

/** log(0.01·e + 0.99·m) of log m and log e, or log e in the first batch. */
function runningLogMean(before: Value, newest: Value): Value {
  const largest = maximum(before, newest);
  const sum = add(mul(exp(sub(newest, largest)), RATE), mul(exp(sub(before, largest)), 1 - RATE));
  // Anything between the mark and a logarithm that can occur tells them apart.
  return where(greater(BEFORE_FIRST / 2, before), newest, add(log(sum), largest));
}

/** The value of x, with its gradient times a factor. */
function withGradient(x: Value, factor: Value): Value {
  const held = stopGradient(x);
  return add(held, mul(stopGradient(factor), sub(x, held)));
}
