import type { MatrixBatch } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { RoundDeviation } from "../deviations.ts";
import type { Block } from "./blocks.ts";

/** The kept clients' deviations of one round; valid until the next call. */
export type KeptBatch = (round: RoundDeviation) => MatrixBatch;

/**
 * Gathers the kept clients' deviations of a block, √p̃_u · q∘(h_t^u − g_t), so that a plain sum of products over the
 * batch is a weighted one.
 *
 * @param coordinates - q, in the layout's order; all ones when left out
 */
export function keptBatches(block: Block, coordinates: Float32Array | undefined): KeptBatch {
  const { rows, columns, index } = block;
  // Filled anew every round: allocating it would cost as much as filling it.
  let buffer = new Float32Array(0);
  return ({ kept, keptMean }) => {
    const count = kept.length;
    if (buffer.length < index.length * count) buffer = new Float32Array(index.length * count);
    const data = buffer.subarray(0, index.length * count);
    for (const [u, { weight, update }] of kept.entries()) {
      const root = Math.sqrt(weight);
      for (let r = 0; r < rows; r++) {
        const from = r * columns;
        const to = (r * count + u) * columns;
        for (let c = 0; c < columns; c++) {
          const i = index[from + c] as number;
          data[to + c] = root * ((update[i] as number) - (keptMean[i] as number));
        }
      }
    }
    if (coordinates !== undefined) stretch(data, block, count, coordinates);
    return { count, rows, columns, data };
  };
}

/** Brings a batch into the coordinates q∘x. */
function stretch(data: Float32Array, { rows, columns, index }: Block, count: number, q: Float32Array): void {
  for (let r = 0; r < rows; r++) {
    for (let at = r * count * columns; at < (r + 1) * count * columns; at++) {
      data[at] = (data[at] as number) * (q[index[r * columns + (at % columns)] as number] as number);
    }
  }
}

/** 1 − Σ_u p̃_u²: what a round adds to the divisor of a weighted covariance; N − 1 for N equal weights, divided by N. */
export function effectiveSize({ kept }: RoundDeviation): number {
  return 1 - kept.reduce((sum, { weight }) => sum + weight * weight, 0);
}
