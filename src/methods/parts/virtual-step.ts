import { gradients } from "../../autodiff/gradients.ts";
import { mul, stopGradient, sub } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import type { ObjectiveContext, ParameterValues } from "../../training/objective-context.ts";

/** How a virtual step is taken. */
export interface VirtualStepOptions {
  /** α, ≥ 0; 0 stays where it is. */
  readonly rate: number;
  /** Whether derivatives pass through the step's own gradient: exact, with a Hessian-vector product; else first order. */
  readonly secondOrder: boolean;
}

/**
 * The weights after a step of descent that is not taken, θ_τ = θ − α·∇loss(θ), as values that depend on θ: a loss at θ_τ has the
 * gradient (I − αH)·∇L(θ_τ) by θ, or ∇L(θ_τ) in first order.
 *
 * @param loss - a scalar of the context's weights
 * @returns the moved parameters by name; the context's own weights for α = 0
 * Source: C. Finn, P. Abbeel, S. Levine, arXiv 1703.03400, equation 1 and section 5.2 (first order).
 */
export function virtualStep(
  context: Pick<ObjectiveContext, "weights" | "parameters">,
  loss: Value,
  { rate, secondOrder }: VirtualStepOptions,
): ParameterValues {
  if (rate === 0) return context.weights;
  const slopes = gradients(loss, [...context.parameters.values()]);
  return new Map(
    [...context.parameters].map(([name, value], index) => {
      const slope = slopes[index] as Value;
      return [name, sub(value, mul(secondOrder ? slope : stopGradient(slope), rate))];
    }),
  );
}
