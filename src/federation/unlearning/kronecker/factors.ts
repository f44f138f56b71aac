import { LetheError } from "../../../kernel/errors.ts";
import type { ModelLayout } from "../../../kernel/layout.ts";
import type { Matrix, MatrixEngine } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { RoundDeviation } from "../deviations.ts";
import { type Block, livePart } from "./blocks.ts";
import { effectiveSize, keptBatch } from "./kept-batch.ts";
import { noiseMeter } from "./noise.ts";

/** Rows or columns of the widest block a factor is kept for: 256 MiB. */
const WIDEST = 8192;

/** One side of a block's covariance, the quantiser's noise subtracted. */
export interface Factor {
  readonly matrix: Matrix;
  /** How far below zero noise may have pushed an eigenvalue. */
  readonly slack: number;
}

/** A block without its dead rows and columns, and the Kronecker factors of its covariance. */
export interface FactoredBlock {
  /** `undefined` when kept clients never disagreed on any element. */
  readonly live: Block | undefined;
  readonly whole: Block;
  /** The rows of `whole` that are alive. */
  readonly liveRows: readonly number[];
  /** L = Σ p̃ D Dᵀ / Σ_t(1 − Σ p̃²) over live rows. */
  readonly rows: Factor | undefined;
  /** R = Σ p̃ DᵀD / Σ_t(1 − Σ p̃²) over live columns. */
  readonly columns: Factor | undefined;
}

/** Sums up factors round by round. */
export interface FactorSums {
  add(round: RoundDeviation): Promise<void>;
  /** @throws LETHE_DATA_TOO_FEW_KEPT when no round held two kept clients */
  finish(): readonly FactoredBlock[];
}

/**
 * Collects the Kronecker factors of the kept clients' deviations D = q∘(h_t^u − g_t). Diagonal blocks have none and pass
 * through whole. Rows and columns on which kept clients always agree (dead pixels) are dropped: their variance, hence
 * their decay, is exactly zero.
 *
 * @throws LETHE_USAGE_LAYER for a layer too wide for a dense factor
 */
export function factorSums(
  blocks: readonly Block[],
  layout: ModelLayout,
  engine: MatrixEngine,
  coordinates: Float32Array | undefined,
): FactorSums {
  const factored = blocks.filter((block) => block.kind !== "diagonal");
  for (const block of factored) checkWidth(block);
  const sums = new Map(
    factored.map((block) => [block, { rows: zeros(block.rows), columns: zeros(block.columns) }]),
  );
  const noise = noiseMeter(layout);
  let divisor = 0;

  return {
    async add(round) {
      divisor += effectiveSize(round);
      noise.add(round);
      for (const [block, sum] of sums) {
        const grams = await engine.grams(keptBatch(block, round, coordinates));
        accumulate(sum.rows.data, grams.rows.data);
        accumulate(sum.columns.data, grams.columns.data);
      }
    },
    finish() {
      if (divisor <= 0) throw tooFewKept();
      return blocks.map((whole): FactoredBlock => {
        const sum = sums.get(whole);
        if (sum === undefined) {
          return { live: whole, whole, liveRows: [], rows: undefined, columns: undefined };
        }
        const liveRows = aliveIn(sum.rows);
        const liveColumns = aliveIn(sum.columns);
        const live = livePart(whole, liveRows, liveColumns);
        if (live === undefined) {
          return { live, whole, liveRows, rows: undefined, columns: undefined };
        }
        const variance = noise.of(live, divisor, coordinates);
        const rowNoise = variance && sumsOver(variance, live, "rows");
        const columnNoise = variance && sumsOver(variance, live, "columns");
        return {
          live,
          whole,
          liveRows,
          rows: factorOf(sum.rows, liveRows, divisor, rowNoise),
          columns: factorOf(sum.columns, liveColumns, divisor, columnNoise),
        };
      });
    },
  };
}

/** The principal submatrix of a sum, divided and freed from the noise on its diagonal. */
function factorOf(
  sum: Matrix,
  alive: readonly number[],
  divisor: number,
  noise: Float64Array | undefined,
): Factor {
  const matrix = zeros(alive.length);
  let at = 0;
  for (const r of alive) {
    for (const c of alive) matrix.data[at++] = (sum.data[r * sum.columns + c] as number) / divisor;
  }
  if (noise === undefined) return { matrix, slack: 0 };
  for (let i = 0; i < alive.length; i++) {
    const at = i * (alive.length + 1);
    matrix.data[at] = (matrix.data[at] as number) - (noise[i] as number);
  }
  return { matrix, slack: Math.max(...noise) };
}

function sumsOver(variance: Float64Array, { rows, columns }: Block, axis: "rows" | "columns"): Float64Array {
  const sums = new Float64Array(axis === "rows" ? rows : columns);
  for (const [at, value] of variance.entries()) {
    const i = axis === "rows" ? Math.floor(at / columns) : at % columns;
    sums[i] = (sums[i] as number) + value;
  }
  return sums;
}

function aliveIn({ rows, data }: Matrix): readonly number[] {
  return Array.from({ length: rows }, (_, i) => i).filter((i) => data[i * (rows + 1)] !== 0);
}

function zeros(size: number): Matrix {
  return { rows: size, columns: size, data: new Float32Array(size * size) };
}

function accumulate(sum: Float32Array, addend: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (addend[i] as number);
}

function checkWidth({ layer, rows, columns }: Block): void {
  if (Math.max(rows, columns) <= WIDEST) return;
  throw new LetheError(
    "usage",
    "USAGE_LAYER",
    `Expected at most ${WIDEST} inputs and outputs in a layer, got ${rows}×${columns} in \`${layer}\`. ` +
      "Declare the layer as `other` to treat it by its diagonal, or use the rule `medu`.",
    { details: { layer, rows, columns } },
  );
}

function tooFewKept(): LetheError {
  return new LetheError(
    "data",
    "DATA_TOO_FEW_KEPT",
    "Expected a recorded round with at least two kept clients, got none: their disagreement measures the response. " +
      "Use the rule `medu`.",
  );
}
