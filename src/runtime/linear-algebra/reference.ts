import type { Matrix, MatrixBatch, MatrixEngine } from "./matrix-engine.ts";
import { orthonormalColumns } from "./orthonormal.ts";

/** A {@link MatrixEngine} in plain loops and double precision: slow, and what the fast one is compared with. */
export function referenceMatrices(): MatrixEngine {
  const multiply: MatrixEngine["multiply"] = async (left, right, options = {}) => {
    const a = options.transposeLeft ? transposed(left) : left;
    const b = options.transposeRight ? right : transposed(right);
    const data = new Float32Array(a.rows * b.rows);
    for (let i = 0; i < a.rows; i++) {
      for (let j = 0; j < b.rows; j++) {
        let sum = 0;
        for (let k = 0; k < a.columns; k++) {
          sum += (a.data[i * a.columns + k] as number) * (b.data[j * b.columns + k] as number);
        }
        data[i * b.rows + j] = sum;
      }
    }
    return { rows: a.rows, columns: b.rows, data };
  };

  return {
    multiply,
    async grams(batch) {
      const rows = zeros(batch.rows, batch.rows);
      const columns = zeros(batch.columns, batch.columns);
      for (const matrix of matricesOf(batch)) {
        accumulate(rows.data, (await multiply(matrix, matrix, { transposeRight: true })).data);
        accumulate(columns.data, (await multiply(matrix, matrix, { transposeLeft: true })).data);
      }
      return { rows, columns };
    },
    async projectedEnergy(batch, left, right) {
      const core = new Float32Array(left.columns * right.columns);
      const rows = new Float32Array(left.columns);
      const columns = new Float32Array(right.columns);
      let total = 0;
      for (const matrix of matricesOf(batch)) {
        const fromLeft = await multiply(left, matrix, { transposeLeft: true });
        const fromRight = await multiply(matrix, right);
        accumulate(core, squared((await multiply(fromLeft, right)).data));
        squared(fromLeft.data).forEach((value, i) => {
          const row = Math.floor(i / matrix.columns);
          rows[row] = (rows[row] as number) + value;
        });
        squared(fromRight.data).forEach((value, i) => {
          const column = i % right.columns;
          columns[column] = (columns[column] as number) + value;
        });
        total += squared(matrix.data).reduce((sum, value) => sum + value, 0);
      }
      return { core, rows, columns, total };
    },
    async orthonormalize({ rows, columns, data }) {
      return { rows, columns, data: Float32Array.from(orthonormalColumns(rows, columns, data)) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

function zeros(rows: number, columns: number): Matrix {
  return { rows, columns, data: new Float32Array(rows * columns) };
}

function transposed({ rows, columns, data }: Matrix): Matrix {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] as number;
  }
  return { rows: columns, columns: rows, data: out };
}

function* matricesOf({ count, rows, columns, data }: MatrixBatch): Generator<Matrix> {
  for (let b = 0; b < count; b++) {
    const matrix = zeros(rows, columns);
    for (let r = 0; r < rows; r++) {
      const at = (r * count + b) * columns;
      matrix.data.set(data.subarray(at, at + columns), r * columns);
    }
    yield matrix;
  }
}

function squared(data: Float32Array): Float32Array {
  return data.map((value) => value * value);
}

function accumulate(sum: Float32Array, addend: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (addend[i] as number);
}
