import { throwIfCancelled } from "../../kernel/errors.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import { dot, type LinearOperator } from "./linear-operator.ts";
import { signVector } from "./random-vectors.ts";

/** An estimated trace and its uncertainty. */
export interface TraceEstimate {
  readonly trace: number;
  /** Standard error of the mean over the probes; NaN for one probe. */
  readonly standardError: number;
}

/**
 * The trace of a symmetric operator as the mean of zᵀAz over random signs z: unbiased, exact for a diagonal A, with variance
 * 2(‖A‖² − Σ aᵢᵢ²) a probe.
 *
 * @param probes - products with A, ≥ 1
 * Source: M. Hutchinson (1990), "A stochastic estimator of the trace of the influence matrix".
 */
export async function hutchinsonTrace(
  operator: LinearOperator,
  options: { readonly probes: number; readonly key: Key; readonly signal?: AbortSignal },
): Promise<TraceEstimate> {
  const values: number[] = [];
  for (let probe = 0; probe < options.probes; probe++) {
    throwIfCancelled(options.signal);
    const z = signVector(deriveKey(options.key, "probe", probe), operator.size);
    values.push(dot(z, await operator.apply(z)));
  }
  const trace = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = values.reduce((sum, value) => sum + (value - trace) ** 2, 0);
  return { trace, standardError: Math.sqrt(spread / (values.length - 1) / values.length) };
}
