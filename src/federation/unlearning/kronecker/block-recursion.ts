import type { Matrix, MatrixEngine } from "../../../runtime/linear-algebra/matrix-engine.ts";
import { type ErrorRecursion, errorRecursion } from "../recursion.ts";
import type { ServerStep } from "../training-facts.ts";
import type { Bases } from "./bases.ts";
import type { BasedBlock, Response } from "./response.ts";

/** A deviation in a block's coordinates; only a cut basis needs more than the core. */
export interface ProjectedDeviation {
  /** Uᵀ d V, [k, l]. */
  readonly core: Float32Array;
  /** Uᵀ d, [k, columns]. */
  readonly rows: Float32Array | undefined;
  /** d V, [rows, l]. */
  readonly columns: Float32Array | undefined;
  /** d, [rows, columns]. */
  readonly outside: Float32Array | undefined;
}

/** Brings a block of a deviation, [rows, columns], into its coordinates. */
export async function projectDeviation(
  { block, bases }: BasedBlock,
  deviation: Float32Array,
  engine: MatrixEngine,
): Promise<ProjectedDeviation> {
  if (bases === undefined) {
    return { core: deviation, rows: undefined, columns: undefined, outside: undefined };
  }
  const { isLeftCut, isRightCut } = cutsOf(bases);
  const matrix: Matrix = { rows: block.rows, columns: block.columns, data: deviation };
  const columns = await engine.multiply(matrix, bases.columns);
  const core = await engine.multiply(bases.rows, columns, { transposeLeft: true });
  const rows = isRightCut ? await engine.multiply(bases.rows, matrix, { transposeLeft: true }) : undefined;
  return {
    core: core.data,
    rows: rows?.data,
    columns: isLeftCut ? columns.data : undefined,
    outside: isLeftCut && isRightCut ? deviation : undefined,
  };
}

/** The error recursion of one block with one decay. */
export interface BlockRecursion {
  advance(deviation: ProjectedDeviation | undefined): void;
  /** e, [rows, columns]. */
  error(engine: MatrixEngine): Promise<ArrayLike<number>>;
}

/**
 * Runs ẽ ← γ∘ẽ + d̃ in the coordinates of a block.
 *
 * With γ one number outside a basis, the part outside need not be split off round by round: the whole is carried with
 * the outer γ, and the projection I − UUᵀ is applied once, at the end. With P for Uᵀd, Q for dV and S for d so carried,
 *   e = U ẽ Vᵀ + (I − UUᵀ) Q Vᵀ + U P (I − VVᵀ) + (I − UUᵀ) S (I − VVᵀ).
 *
 * @param decay - γ of each part
 */
export function blockRecursion(
  { block, bases }: BasedBlock,
  decay: Response,
  server: ServerStep,
): BlockRecursion {
  const part = (length: number, gamma: (at: number) => number): ErrorRecursion =>
    errorRecursion(
      new Float64Array(length),
      Float64Array.from({ length }, (_, at) => gamma(at)),
      server,
    );
  const { isLeftCut, isRightCut } = cutsOf(bases);
  const [k, l] = [decay.rows.length, decay.columns.length];
  const core = part(k * l, (at) => decay.core[at] as number);
  const columns = isLeftCut ? part(block.rows * l, (at) => decay.columns[at % l] as number) : undefined;
  const rows = isRightCut
    ? part(k * block.columns, (at) => decay.rows[Math.floor(at / block.columns)] as number)
    : undefined;
  const outside = isLeftCut && isRightCut ? part(block.rows * block.columns, () => decay.outside) : undefined;

  return {
    advance(deviation) {
      core.advance(deviation?.core);
      columns?.advance(deviation?.columns);
      rows?.advance(deviation?.rows);
      outside?.advance(deviation?.outside);
    },
    async error(engine) {
      if (bases === undefined) return core.error;
      const matrix = (recursion: ErrorRecursion | undefined, r: number, c: number): Matrix | undefined =>
        recursion && { rows: r, columns: c, data: Float32Array.from(recursion.error) };
      return lift(engine, bases, {
        core: { rows: k, columns: l, data: Float32Array.from(core.error) },
        rows: matrix(rows, k, block.columns),
        columns: matrix(columns, block.rows, l),
        outside: matrix(outside, block.rows, block.columns),
      });
    },
  };
}

/** (U A + Q − SV) Vᵀ + U (P − UᵀS) + S with A = ẽ − UᵀQ − PV + UᵀSV: the formula above, sorted by products. */
async function lift(
  engine: MatrixEngine,
  { rows: u, columns: v }: Bases,
  parts: {
    readonly core: Matrix;
    readonly rows: Matrix | undefined;
    readonly columns: Matrix | undefined;
    readonly outside: Matrix | undefined;
  },
): Promise<Float32Array> {
  const { outside: s } = parts;
  const transposeLeft = { transposeLeft: true };
  const sv = s && (await engine.multiply(s, v));
  const us = s && (await engine.multiply(u, s, transposeLeft));
  const q = plus(parts.columns, sv, -1);
  const p = plus(parts.rows, us, -1);
  const uq = parts.columns && (await engine.multiply(u, parts.columns, transposeLeft));
  const pv = p && (await engine.multiply(p, v));
  const a = plus(plus(parts.core, uq, -1), pv, -1) as Matrix;
  const left = plus(await engine.multiply(u, a), q, 1) as Matrix;
  const inside = await engine.multiply(left, v, { transposeRight: true });
  const up = p && (await engine.multiply(u, p));
  return (plus(plus(inside, up, 1), s, 1) as Matrix).data;
}

/** a + factor·b, where a missing matrix is zero. */
function plus(a: Matrix | undefined, b: Matrix | undefined, factor: number): Matrix | undefined {
  if (b === undefined) return a;
  if (a === undefined) return { ...b, data: b.data.map((value) => factor * value) };
  return { ...a, data: a.data.map((value, i) => value + factor * (b.data[i] as number)) };
}

/** Whether U, and whether V, spans less than everything. */
function cutsOf(bases: Bases | undefined): { readonly isLeftCut: boolean; readonly isRightCut: boolean } {
  return {
    isLeftCut: bases !== undefined && bases.rows.columns < bases.rows.rows,
    isRightCut: bases !== undefined && bases.columns.columns < bases.columns.rows,
  };
}
