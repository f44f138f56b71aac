import type { ModelLayout } from "../../../kernel/layout.ts";
import type { Matrix, MatrixEngine, ProjectedEnergy } from "../../../runtime/linear-algebra/matrix-engine.ts";
import type { RoundDeviation } from "../deviations.ts";
import type { Bases } from "./bases.ts";
import type { Block } from "./blocks.ts";
import { effectiveSize, type KeptBatch, keptBatches } from "./kept-batch.ts";
import { noiseMeter } from "./noise.ts";

/**
 * Λ: the variance between kept clients in the coordinates U (rows) and V (columns) of a block. Directions outside a
 * truncated basis share what variance is left, evenly.
 */
export interface Response {
  /** Λ_ij along u_i v_jᵀ, [k, l]. */
  readonly core: Float64Array;
  /** Along u_i and outside V, [k]. */
  readonly rows: Float64Array;
  /** Outside U and along v_j, [l]. */
  readonly columns: Float64Array;
  /** Outside both. */
  readonly outside: number;
}

/** Sums up the responses of blocks round by round. */
export interface ResponseSums {
  add(round: RoundDeviation): Promise<void>;
  /** Λ of each block, in order, noise subtracted and clipped at zero. */
  finish(): Promise<readonly Response[]>;
}

/** A block with its bases; none for a diagonal block, whose coordinates are its elements. */
export interface BasedBlock {
  readonly block: Block;
  readonly bases: Bases | undefined;
}

/**
 * Measures Λ_ij = Σ_t Σ_u p̃_u (Uᵀ D V)²_ij / Σ_t (1 − Σ_u p̃_u²) (George et al., 2018, arXiv 1806.03884: the
 * eigenvalue correction of a Kronecker-factored covariance).
 */
export function responseSums(
  blocks: readonly BasedBlock[],
  layout: ModelLayout,
  engine: MatrixEngine,
  coordinates: Float32Array | undefined,
): ResponseSums {
  const sums = blocks.map(({ block, bases }) => zeroEnergy(block, bases));
  const batches = blocks.map(({ block }) => keptBatches(block, coordinates));
  const noise = noiseMeter(layout);
  let divisor = 0;
  return {
    async add(round) {
      divisor += effectiveSize(round);
      noise.add(round);
      for (const [b, { block, bases }] of blocks.entries()) {
        const batch = (batches[b] as KeptBatch)(round);
        const energy =
          bases === undefined
            ? elementEnergy(batch.data, block.rows)
            : await engine.projectedEnergy(batch, bases.rows, bases.columns);
        accumulate(sums[b] as Energy, energy, 1);
      }
    },
    async finish() {
      return Promise.all(
        blocks.map(async ({ block, bases }, b) => {
          const energy = zeroEnergy(block, bases);
          accumulate(energy, sums[b] as Energy, 1 / divisor);
          const variance = noise.of(block, divisor, coordinates);
          if (variance !== undefined) {
            accumulate(energy, await noiseEnergy(engine, variance, block, bases), -1);
          }
          return responseOf(energy, block);
        }),
      );
    },
  };
}

/** As {@link ProjectedEnergy}, to sum into. */
interface Energy {
  readonly core: Float64Array;
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  total: number;
}

/** Shares what lies outside the bases among the dimensions there; negative remainders are noise. */
function responseOf(energy: Energy, block: Block): Response {
  const k = energy.rows.length;
  const l = energy.columns.length;
  const share = (rest: number, dimensions: number): number =>
    dimensions === 0 ? 0 : Math.max(0, rest / dimensions);
  const insideRows = new Float64Array(k);
  const insideColumns = new Float64Array(l);
  let inside = 0;
  for (const [at, value] of energy.core.entries()) {
    const i = Math.floor(at / l);
    insideRows[i] = (insideRows[i] as number) + value;
    insideColumns[at % l] = (insideColumns[at % l] as number) + value;
    inside += value;
  }
  const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
  return {
    core: energy.core.map((value) => Math.max(0, value)),
    rows: energy.rows.map((value, i) => share(value - (insideRows[i] as number), block.columns - l)),
    columns: energy.columns.map((value, j) => share(value - (insideColumns[j] as number), block.rows - k)),
    outside: share(
      energy.total - total(energy.rows) - total(energy.columns) + inside,
      (block.rows - k) * (block.columns - l),
    ),
  };
}

function zeroEnergy({ rows, columns }: Block, bases: Bases | undefined): Energy {
  const k = bases?.rows.columns ?? rows;
  const l = bases?.columns.columns ?? columns;
  return {
    core: new Float64Array(k * l),
    rows: new Float64Array(k),
    columns: new Float64Array(l),
    total: 0,
  };
}

/** The energy of a one-column block in its own elements. */
function elementEnergy(batch: Float32Array, rows: number): ProjectedEnergy {
  const count = batch.length / rows;
  const core = new Float32Array(rows);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let at = r * count; at < (r + 1) * count; at++) squares += (batch[at] as number) ** 2;
    core[r] = squares;
  }
  const total = core.reduce((sum, value) => sum + value, 0);
  return { core, rows: core, columns: Float32Array.of(total), total };
}

/** What noise of the given variances, independent from element to element, adds on average: (U²)ᵀ · variance · V². */
async function noiseEnergy(
  engine: MatrixEngine,
  variance: Float64Array,
  { rows, columns }: Block,
  bases: Bases | undefined,
): Promise<ProjectedEnergy> {
  const total = variance.reduce((sum, value) => sum + value, 0);
  const matrix: Matrix = { rows, columns, data: Float32Array.from(variance) };
  if (bases === undefined) {
    return { core: matrix.data, rows: matrix.data, columns: Float32Array.of(total), total };
  }
  const left = squared(bases.rows);
  const right = squared(bases.columns);
  const fromLeft = await engine.multiply(left, matrix, { transposeLeft: true }); // [k, columns]
  const fromRight = await engine.multiply(matrix, right); // [rows, l]
  const core = await engine.multiply(fromLeft, right);
  return {
    core: core.data,
    rows: (await engine.multiply(fromLeft, ones(columns, 1))).data,
    columns: (await engine.multiply(ones(1, rows), fromRight)).data,
    total,
  };
}

function accumulate(sum: Energy, addend: ProjectedEnergy | Energy, factor: number): void {
  for (const part of ["core", "rows", "columns"] as const) {
    const into = sum[part];
    const from = addend[part];
    for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + factor * (from[i] as number);
  }
  sum.total += factor * addend.total;
}

function squared({ rows, columns, data }: Matrix): Matrix {
  return { rows, columns, data: data.map((value) => value * value) };
}

function ones(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float32Array(rows * columns).fill(1) };
}
