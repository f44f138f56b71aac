import { describe, expect, it } from "vitest";
import { keyFromSeed, type RandomStream, randomStream } from "../../../kernel/key.ts";
import type { Matrix } from "../../../runtime/linear-algebra/matrix-engine.ts";
import { orthonormalColumns } from "../../../runtime/linear-algebra/orthonormal.ts";
import { referenceMatrices } from "../../../runtime/linear-algebra/reference.ts";
import { blockRecursion, projectDeviation } from "./block-recursion.ts";
import type { BasedBlock, Response } from "./response.ts";

const matrices = referenceMatrices();
const [ROWS, COLUMNS, ROUNDS] = [5, 4, 7];

describe("the recursion of a block", () => {
  it.each([
    [5, 4],
    [3, 4],
    [5, 2],
    [2, 3],
  ])("equals a brute-force linear recursion with bases cut to %i and %i", async (k, l) => {
    const stream = randomStream(keyFromSeed(10 * k + l));
    const [u, v] = [basis(ROWS, stream), basis(COLUMNS, stream)];
    const decay: Response = {
      core: uniform(k * l, stream),
      rows: uniform(k, stream),
      columns: uniform(l, stream),
      outside: stream.uniform(),
    };
    const gamma = (i: number, j: number): number => {
      if (i < k) return (j < l ? decay.core[i * l + j] : decay.rows[i]) as number;
      return j < l ? (decay.columns[j] as number) : decay.outside;
    };
    const server = { momentum: 0.6, rate: 0.5 };
    const based: BasedBlock = {
      block: {
        layer: "x",
        kind: "matrix",
        rows: ROWS,
        columns: COLUMNS,
        index: new Uint32Array(ROWS * COLUMNS),
      },
      bases: { rows: leading(u, k), columns: leading(v, l) },
    };
    const recursion = blockRecursion(based, decay, server);

    // In the complete bases every coefficient goes its own way.
    const error = new Float64Array(ROWS * COLUMNS);
    const velocity = new Float64Array(ROWS * COLUMNS);
    for (let t = 0; t < ROUNDS; t++) {
      const isAbsent = t === 3;
      const deviation = Float32Array.from({ length: ROWS * COLUMNS }, () => stream.normal());
      recursion.advance(isAbsent ? undefined : await projectDeviation(based, deviation, matrices));
      for (let i = 0; i < ROWS; i++) {
        for (let j = 0; j < COLUMNS; j++) {
          const at = i * COLUMNS + j;
          const d = isAbsent ? 0 : coefficient(u, v, deviation, i, j);
          velocity[at] =
            server.momentum * (velocity[at] as number) - (1 - gamma(i, j)) * (error[at] as number) + d;
          error[at] = (error[at] as number) + server.rate * (velocity[at] as number);
        }
      }
    }
    const lifted = Float32Array.from(await recursion.error(matrices));
    for (let i = 0; i < ROWS; i++) {
      for (let j = 0; j < COLUMNS; j++) {
        expect(coefficient(u, v, lifted, i, j)).toBeCloseTo(error[i * COLUMNS + j] as number, 5);
      }
    }
  });
});

function basis(size: number, stream: RandomStream): Matrix {
  const data = orthonormalColumns(
    size,
    size,
    Float64Array.from({ length: size * size }, () => stream.normal()),
  );
  return { rows: size, columns: size, data: Float32Array.from(data) };
}

function leading({ rows, columns, data }: Matrix, count: number): Matrix {
  return { rows, columns: count, data: data.filter((_, at) => at % columns < count) };
}

function uniform(length: number, stream: RandomStream): Float64Array {
  return Float64Array.from({ length }, () => stream.uniform());
}

/** u_iᵀ X v_j */
function coefficient(u: Matrix, v: Matrix, x: Float32Array, i: number, j: number): number {
  let sum = 0;
  for (let r = 0; r < u.rows; r++) {
    for (let c = 0; c < v.rows; c++) {
      sum +=
        (u.data[r * u.columns + i] as number) *
        (x[r * v.rows + c] as number) *
        (v.data[c * v.columns + j] as number);
    }
  }
  return sum;
}
