import type { ModelLayout } from "../../../kernel/layout.ts";

/**
 * ε as a share of a tensor's mean v̄: keeps q positive where no gradient ever came. Anything from 10⁻² to 10⁻⁶ gave
 * equal results up to θ = 3.
 */
const EPSILON_FRACTION = 1e-4;

/**
 * The change of coordinates that makes Adam's response symmetric. Adam divides updates by √v̄: with P = diag(v̄)^(−1/2)
 * their covariance is s·PFP but the response −ηK·PF. In coordinates x ↦ q∘x with q = (v̄ + ε)^(1/4) both become
 * multiples of P^(1/2) F P^(1/2), as they are for plain SGD.
 *
 * @param secondMoment - v̄ ≥ 0, in the layout's order
 * @returns q > 0, in the layout's order; 1 for buffers and for tensors without any gradient
 */
export function adamCoordinates(layout: ModelLayout, secondMoment: Float32Array): Float32Array {
  const q = new Float32Array(layout.length).fill(1);
  for (const { role, offset, length } of layout.slots) {
    const values = secondMoment.subarray(offset, offset + length);
    const mean = values.reduce((sum, value) => sum + value, 0) / length;
    if (role === "buffer" || mean === 0) continue;
    for (let i = 0; i < length; i++)
      q[offset + i] = ((values[i] as number) + EPSILON_FRACTION * mean) ** 0.25;
  }
  return q;
}
