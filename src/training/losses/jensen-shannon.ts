import {
  add,
  exp,
  logSoftmax,
  mul,
  reduceMean,
  reduceSum,
  softplus,
  sub,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";

/**
 * Jensen–Shannon divergence of the classes' probabilities: ½KL(p ‖ m) + ½KL(q ‖ m) with m = (p + q)/2, the mean over
 * samples; between 0 and ln 2. log(p + q) is taken as log q + softplus(log p − log q), which loses no small probability.
 *
 * @param first - logits of p, [batch, classes]
 * @param second - logits of q, [batch, classes]
 * @returns scalar, in nats
 * Source: Lin, "Divergence measures based on the Shannon entropy" (1991), equation 4.1 with equal weights.
 */
export function jensenShannon(first: Value, second: Value): Value {
  const logP = logSoftmax(first);
  const logQ = logSoftmax(second);
  const logM = sub(add(logQ, softplus(sub(logP, logQ))), Math.LN2);
  const terms = add(mul(exp(logP), sub(logP, logM)), mul(exp(logQ), sub(logQ, logM)));
  return mul(reduceMean(reduceSum(terms, { axes: [-1] })), 0.5);
}
