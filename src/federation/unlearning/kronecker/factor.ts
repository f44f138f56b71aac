import type { Matrix } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { Block } from "./blocks.ts";

/** One side of a block's covariance, dead rows dropped and the quantiser's noise subtracted. */
export interface Factor {
  /** Over live rows only, [live.length, live.length]. */
  readonly matrix: Matrix;
  /** The rows (or columns) of the block that are alive, in ascending order. */
  readonly live: readonly number[];
  /** How far below zero the subtraction of noise may have pushed an eigenvalue. */
  readonly slack: number;
}

/**
 * Standard errors of the noise by which a row must stand out to be alive. At 4 one dead row in 30,000 is kept for alive;
 * a live row taken for dead has a variance of less than a few hundredths of the noise, whose decay is next to nothing.
 */
const STANDARD_ERRORS = 4;

/** The known mean and spread of noise on the diagonal of a factor. */
export interface DiagonalNoise {
  readonly mean: Float64Array;
  readonly standardError: Float64Array;
}

/**
 * Makes a factor of a sum of products: divided, freed from noise, and without the rows in which kept clients do not
 * differ beyond it (dead pixels). Without noise that means exactly: not at all.
 *
 * @param sum - Σ p̃ D Dᵀ
 */
export function factorOf(sum: Matrix, divisor: number, noise: DiagonalNoise | undefined): Factor {
  const size = sum.rows;
  const signal = Array.from(
    { length: size },
    (_, i) => (sum.data[i * (size + 1)] as number) / divisor - (noise?.mean[i] ?? 0),
  );
  const live = [...signal.keys()].filter(
    (i) => (signal[i] as number) > STANDARD_ERRORS * (noise?.standardError[i] ?? 0),
  );
  const data = new Float32Array(live.length ** 2);
  let at = 0;
  for (const r of live) {
    for (const c of live) {
      data[at++] = r === c ? (signal[r] as number) : (sum.data[r * size + c] as number) / divisor;
    }
  }
  const slack = live.reduce((max, i) => Math.max(max, noise?.mean[i] ?? 0), 0);
  return { matrix: { rows: live.length, columns: live.length, data }, live, slack };
}

/**
 * What independent noise adds to the diagonal of a factor, from its variance at each element of the block. The spread is
 * that of normal noise, which no lattice cell exceeds.
 *
 * @param samples - how many independent updates the covariance rests on
 */
export function diagonalNoise(
  variance: Float64Array,
  { rows, columns }: Block,
  axis: "rows" | "columns",
  samples: number,
): DiagonalNoise {
  const size = axis === "rows" ? rows : columns;
  const mean = new Float64Array(size);
  const squares = new Float64Array(size);
  for (const [at, value] of variance.entries()) {
    const i = axis === "rows" ? Math.floor(at / columns) : at % columns;
    mean[i] = (mean[i] as number) + value;
    squares[i] = (squares[i] as number) + value * value;
  }
  return { mean, standardError: squares.map((sum) => Math.sqrt((2 * sum) / samples)) };
}
