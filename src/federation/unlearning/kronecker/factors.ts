import { LetheError } from "../../../kernel/errors.ts";
import type { ModelLayout } from "../../../kernel/layout.ts";
import type { Matrix, MatrixEngine } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { RoundDeviation } from "../deviations.ts";
import { type Block, livePart } from "./blocks.ts";
import { diagonalNoise, type Factor, factorOf } from "./factor.ts";
import { effectiveSize, keptBatches } from "./kept-batch.ts";
import { noiseMeter } from "./noise.ts";

/** Rows or columns of the widest block a factor is kept for: 256 MiB. */
const WIDEST = 8192;

/** A block and the Kronecker factors of its covariance; none for a diagonal block. */
export interface FactoredBlock {
  readonly whole: Block;
  /** Without dead rows and columns; `undefined` when kept clients never disagreed on any element. */
  readonly live: Block | undefined;
  readonly factors: { readonly rows: Factor; readonly columns: Factor } | undefined;
}

/** Sums up factors round by round. */
export interface FactorSums {
  add(round: RoundDeviation): Promise<void>;
  /** @throws LETHE_DATA_TOO_FEW_KEPT when no round held two kept clients */
  finish(): readonly FactoredBlock[];
}

/**
 * Collects the Kronecker factors of the kept clients' deviations D = q∘(h_t^u − g_t):
 *
 *   L = Σ p̃ D Dᵀ / Z,   R = Σ p̃ DᵀD / Z,   Z = Σ_t (1 − Σ_u p̃_u²)
 *
 * Rows and columns without disagreement are dropped: their variance, hence their decay, is zero.
 *
 * @throws LETHE_USAGE_LAYER for a layer too wide for a dense factor
 */
export function factorSums(
  blocks: readonly Block[],
  layout: ModelLayout,
  engine: MatrixEngine,
  coordinates: Float32Array | undefined,
): FactorSums {
  const sums = new Map(
    blocks
      .filter((block) => block.kind !== "diagonal")
      .map((block) => {
        checkWidth(block);
        const batchOf = keptBatches(block, coordinates);
        return [block, { rows: zeros(block.rows), columns: zeros(block.columns), batchOf }];
      }),
  );
  const noise = noiseMeter(layout);
  let divisor = 0;
  let squaredShares = 0;

  return {
    async add(round) {
      divisor += effectiveSize(round);
      squaredShares += 1 - effectiveSize(round);
      noise.add(round);
      for (const sum of sums.values()) {
        const grams = await engine.grams(sum.batchOf(round));
        accumulate(sum.rows.data, grams.rows.data);
        accumulate(sum.columns.data, grams.columns.data);
      }
    },
    finish() {
      if (divisor <= 0) throw tooFewKept();
      const samples = divisor ** 2 / squaredShares;
      return blocks.map((whole): FactoredBlock => {
        const sum = sums.get(whole);
        if (sum === undefined) return { whole, live: whole, factors: undefined };
        const variance = noise.of(whole, divisor, coordinates);
        const noiseOn = (axis: "rows" | "columns") =>
          variance && diagonalNoise(variance, whole, axis, samples);
        const rows = factorOf(sum.rows, divisor, noiseOn("rows"));
        const columns = factorOf(sum.columns, divisor, noiseOn("columns"));
        return { whole, live: livePart(whole, rows.live, columns.live), factors: { rows, columns } };
      });
    },
  };
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
