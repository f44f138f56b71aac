import { operators } from "../../autodiff/operators/index.ts";
import { cast, gemm, matmul, reduceSum, reshape, slice, square } from "../../onnx/functions/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { compileProgram, type Program, type RuntimeOptions } from "../program.ts";
import { inverseCholesky } from "./cholesky.ts";
import type { Matrix, MatrixEngine } from "./matrix-engine.ts";

/** The named axis of a batch. */
const COUNT = "count";
/** Most rows of a panel: products of this height run at full speed, and a smaller matrix gains little. */
const PANEL_ROWS = 800;

/**
 * A {@link MatrixEngine} on ONNX Runtime: one small graph for every operation and size, compiled when first used and
 * kept until the engine is disposed of.
 *
 * @example
 * await using matrices = ortMatrices({ threads: 2 });
 * const { rows, columns } = await matrices.grams(batch);
 */
export function ortMatrices(options: RuntimeOptions = {}): MatrixEngine {
  const programs = new Map<string, Promise<Program & AsyncDisposable>>();

  const programFor = (key: string, build: (graph: Graph) => Record<string, Value>): Promise<Program> => {
    const known = programs.get(key);
    if (known !== undefined) return known;
    const graph = new Graph(operators);
    const outputs = new Map(Object.entries(build(graph)));
    const program = compileProgram({ inputs: graph.inputs, outputs }, options);
    programs.set(key, program);
    return program;
  };

  const multiply: MatrixEngine["multiply"] = async (left, right, product = {}) => {
    const { transposeLeft = false, transposeRight = false } = product;
    const key = `multiply ${left.rows} ${left.columns} ${transposeLeft} ${right.rows} ${right.columns} ${transposeRight}`;
    const program = await programFor(key, (graph) => {
      const a = matrixInput(graph, "a", left);
      const b = matrixInput(graph, "b", right);
      return { out: gemm(a, b, undefined, { transA: transposeLeft, transB: transposeRight }) };
    });
    const { out } = await program.run({ a: left.data, b: right.data });
    return {
      rows: transposeLeft ? left.columns : left.rows,
      columns: transposeRight ? right.rows : right.columns,
      data: out as Float32Array,
    };
  };

  const grams: MatrixEngine["grams"] = async ({ rows, columns, data }) => {
    const panels = panelsOf(rows);
    const program = await programFor(`grams ${rows} ${columns}`, (graph) => {
      const x = graph.input("x", "float32", [rows, COUNT, columns]);
      const tall = reshape(x, ["tall", columns]);
      const wide = reshape(x, [rows, "wide"]);
      const below = (start: number, end: number): Value =>
        start === 0 && end === rows ? wide : slice(wide, [{ axis: 0, start, end }]);
      const products = panels.map(({ name, start, end }): [string, Value] => [
        name,
        gemm(below(start, end), below(start, rows), undefined, { transB: true }),
      ]);
      return { ...Object.fromEntries(products), columns: gemm(tall, tall, undefined, { transA: true }) };
    });
    const out = await program.run({ x: data });
    const rowGram = new Float32Array(rows * rows);
    for (const panel of panels) fillSymmetric(rowGram, rows, panel, out[panel.name] as Float32Array);
    return {
      rows: { rows, columns: rows, data: rowGram },
      columns: { rows: columns, columns, data: out.columns as Float32Array },
    };
  };

  const projectedEnergy: MatrixEngine["projectedEnergy"] = async (batch, left, right) => {
    const { rows, columns } = batch;
    const k = left.columns;
    const l = right.columns;
    const isRightComplete = l === columns;
    const program = await programFor(`energy ${rows} ${columns} ${k} ${l}`, (graph) => {
      const x = graph.input("x", "float32", [rows, COUNT, columns]);
      const u = matrixInput(graph, "u", left);
      const v = matrixInput(graph, "v", right);
      const projected = matmul(reshape(x, ["tall", columns]), v); // [rows · count, l]
      const core = gemm(u, reshape(projected, [rows, "wide"]), undefined, { transA: true }); // [k, count · l]
      return {
        core: reduceSum(square(reshape(core, [k, COUNT, l])), { axes: [1] }),
        columns: reduceSum(square(projected), { axes: [0] }),
        ...(isRightComplete ? {} : leftEnergy(x, u)),
      };
    });
    const out = await program.run({ x: batch.data, u: left.data, v: right.data });
    const core = out.core as Float32Array;
    const columnEnergy = out.columns as Float32Array;
    if (!isRightComplete) {
      return {
        core,
        columns: columnEnergy,
        rows: out.rows as Float32Array,
        total: (out.total as Float32Array)[0] as number,
      };
    }
    // A complete basis on the right loses nothing: the other sums follow.
    return { core, columns: columnEnergy, rows: rowSums(core, k, l), total: sum(columnEnergy) };
  };

  /** Cholesky QR: Q = Y·R⁻¹ with RᵀR = YᵀY, the products in double precision. */
  const choleskyQr = async ({ rows, columns, data }: Matrix): Promise<Matrix> => {
    const gram = await programFor(`qr gram ${rows} ${columns}`, (graph) => {
      const y = cast(graph.input("y", "float32", [rows, columns]), "float64");
      return { out: gemm(y, y, undefined, { transA: true }) };
    });
    const apply = await programFor(`qr apply ${rows} ${columns}`, (graph) => {
      const y = cast(graph.input("y", "float32", [rows, columns]), "float64");
      const inverse = graph.input("inverse", "float64", [columns, columns]);
      return { out: cast(matmul(y, inverse), "float32") };
    });
    const inverse = inverseCholesky(columns, (await gram.run({ y: data })).out as Float64Array);
    return { rows, columns, data: (await apply.run({ y: data, inverse })).out as Float32Array };
  };

  return {
    multiply,
    grams,
    projectedEnergy,
    async orthonormalize(matrix) {
      // The second time repairs what rounding spoilt the first time (Yamamoto et al., 2015).
      return choleskyQr(await choleskyQr(matrix));
    },
    async [Symbol.asyncDispose]() {
      for (const program of programs.values()) await (await program).dispose();
      programs.clear();
    },
  };
}

/** Rows of a symmetric matrix that are computed together, from the diagonal on. */
interface Panel {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Panels of equal height: what lies left of them follows by symmetry, almost half of the work for a large matrix. */
function panelsOf(size: number): readonly Panel[] {
  const count = Math.ceil(size / PANEL_ROWS);
  const bound = (panel: number): number => Math.floor((size * panel) / count);
  return Array.from({ length: count }, (_, panel) => ({
    name: `panel${panel}`,
    start: bound(panel),
    end: bound(panel + 1),
  }));
}

/** Puts a panel ([end − start, size − start]) into its rows of a symmetric matrix, and its mirror image below it. */
function fillSymmetric(
  matrix: Float32Array,
  size: number,
  { start, end }: Panel,
  values: Float32Array,
): void {
  const width = size - start;
  for (let row = start; row < end; row++) {
    matrix.set(values.subarray((row - start) * width, (row - start + 1) * width), row * size + start);
  }
  for (let column = end; column < size; column++) {
    const from = column - start;
    const to = column * size + start;
    for (let row = 0; row < end - start; row++) matrix[to + row] = values[row * width + from] as number;
  }
}

function matrixInput(graph: Graph, name: string, { rows, columns }: Matrix): Value {
  return graph.input(name, "float32", [rows, columns]);
}

/** What only matters when the right basis is not complete. */
function leftEnergy(x: Value, u: Value): Record<string, Value> {
  const wide = reshape(x, [u.shape[0] as number, "wide"]);
  const projected = gemm(u, wide, undefined, { transA: true }); // [k, count · columns]
  return { rows: reduceSum(square(projected), { axes: [1] }), total: reduceSum(square(x)) };
}

function rowSums(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows }, (_, i) => sum(matrix.subarray(i * columns, (i + 1) * columns)));
}

function sum(values: Float32Array): number {
  return values.reduce((total, value) => total + value, 0);
}
