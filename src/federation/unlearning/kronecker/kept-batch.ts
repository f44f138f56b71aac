import type { MatrixBatch } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { RoundDeviation } from "../deviations.ts";
import type { Block } from "./blocks.ts";

/**
 * The kept clients' deviations of one round and block, √p̃_u · q∘(h_t^u − g_t), so that a plain sum of products over the
 * batch is a weighted one.
 *
 * @param coordinates - q, in the layout's order; all ones when left out
 */
export function keptBatch(
  block: Block,
  { kept, keptMean }: RoundDeviation,
  coordinates: Float32Array | undefined,
): MatrixBatch {
  const { rows, columns, index } = block;
  const data = new Float32Array(index.length * kept.length);
  for (const [u, { weight, update }] of kept.entries()) {
    const root = Math.sqrt(weight);
    for (let r = 0; r < rows; r++) {
      const from = r * columns;
      const to = (r * kept.length + u) * columns;
      for (let c = 0; c < columns; c++) {
        const i = index[from + c] as number;
        const scale = coordinates === undefined ? root : root * (coordinates[i] as number);
        data[to + c] = scale * ((update[i] as number) - (keptMean[i] as number));
      }
    }
  }
  return { count: kept.length, rows, columns, data };
}

/** 1 − Σ_u p̃_u²: what a round adds to the divisor of a weighted covariance; N − 1 for N equal weights, divided by N. */
export function effectiveSize({ kept }: RoundDeviation): number {
  return 1 - kept.reduce((sum, { weight }) => sum + weight * weight, 0);
}
