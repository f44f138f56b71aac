import { afterAll, describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { dominantBasis } from "./dominant-basis.ts";
import type { Matrix } from "./matrix-engine.ts";
import { ortMatrices } from "./ort-engine.ts";
import { referenceMatrices } from "./reference.ts";

const engine = ortMatrices({ threads: 1 });
const reference = referenceMatrices();
afterAll(() => engine[Symbol.asyncDispose]());

describe("the engine on ONNX Runtime agrees with plain loops", () => {
  it("in products, transposed or not", async () => {
    for (const transposeLeft of [false, true]) {
      for (const transposeRight of [false, true]) {
        const left = transposeLeft ? random(5, 3, 1) : random(3, 5, 1);
        const right = transposeRight ? random(4, 5, 2) : random(5, 4, 2);
        const options = { transposeLeft, transposeRight };
        expectClose(
          await engine.multiply(left, right, options),
          await reference.multiply(left, right, options),
        );
      }
    }
  });

  it("in Gram matrices of batches of any count", async () => {
    for (const count of [1, 4]) {
      const batch = { count, rows: 6, columns: 3, data: random(6, count * 3, 3).data };
      const [fast, slow] = [await engine.grams(batch), await reference.grams(batch)];
      expectClose(fast.rows, slow.rows);
      expectClose(fast.columns, slow.columns);
    }
  });

  it("in Gram matrices so large that they are computed in panels", async () => {
    const batch = { count: 2, rows: 801, columns: 2, data: random(801, 4, 8).data };
    const [fast, slow] = [await engine.grams(batch), await reference.grams(batch)];
    expect(
      fast.rows.data.findIndex((value, i) => Math.abs(value - (slow.rows.data[i] as number)) > 1e-4),
    ).toBe(-1);
    expect(fast.columns.data).toHaveLength(4);
  });

  it("in projected energies, complete on either side or on none", async () => {
    const batch = { count: 4, rows: 6, columns: 5, data: random(6, 20, 4).data };
    for (const k of [2, 6]) {
      for (const l of [3, 5]) {
        const left = await reference.orthonormalize(random(6, k, 5));
        const right = await reference.orthonormalize(random(5, l, 6));
        const fast = await engine.projectedEnergy(batch, left, right);
        const slow = await reference.projectedEnergy(batch, left, right);
        for (const part of ["core", "rows", "columns"] as const) {
          expect(fast[part].length).toBe(slow[part].length);
          expect(distance(fast[part], slow[part])).toBeLessThan(1e-4);
        }
        expect(fast.total).toBeCloseTo(slow.total, 3);
      }
    }
  });

  it("in the span of orthonormalised columns, however badly conditioned", async () => {
    const matrix = random(40, 6, 7);
    const graded = { ...matrix, data: matrix.data.map((value, i) => value * 10 ** -(i % 6)) };
    const [q, expected] = [await engine.orthonormalize(graded), await reference.orthonormalize(graded)];
    expectIdentity(await reference.multiply(q, q, { transposeLeft: true }), 1e-6);
    // Equal projectors: equal spans.
    expectClose(
      await reference.multiply(q, q, { transposeRight: true }),
      await reference.multiply(expected, expected, { transposeRight: true }),
      1e-4,
    );
  });
});

describe("dominantBasis", () => {
  const size = 60;

  it("finds the leading eigenvectors of a decaying spectrum, in order", async () => {
    const { matrix, vectors } = await spectrum(size, (i) => 2 ** -i);
    const basis = await dominantBasis(engine, matrix, { rank: 8, slack: 0, key: keyFromSeed(1) });
    for (let j = 0; j < 8; j++) expect(Math.abs((basis.values[j] as number) - 2 ** -j)).toBeLessThan(1e-5);
    const overlap = await reference.multiply(basis.vectors, vectors, { transposeLeft: true });
    for (let j = 0; j < 8; j++) {
      expect(Math.abs(overlap.data[j * size + j] as number)).toBeGreaterThan(1 - 1e-5);
    }
  });

  it("stays orthonormal for a matrix of lower rank than asked for", async () => {
    const { matrix } = await spectrum(size, (i) => (i < 5 ? 1 : 0));
    const { vectors } = await dominantBasis(engine, matrix, { rank: 20, slack: 0, key: keyFromSeed(2) });
    expectIdentity(await reference.multiply(vectors, vectors, { transposeLeft: true }), 1e-5);
    const inside = await reference.multiply(matrix, vectors);
    expect(inside.data.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(5, 4);
  });

  it("prefers large eigenvalues to negative ones within the slack", async () => {
    const { matrix, vectors } = await spectrum(size, (i) => (i < 4 ? 1 : i < 30 ? 0.1 : -0.4));
    const basis = await dominantBasis(engine, matrix, { rank: 4, slack: 0.4, key: keyFromSeed(3) });
    const overlap = await reference.multiply(basis.vectors, vectors, { transposeLeft: true });
    let inside = 0;
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) inside += (overlap.data[i * size + j] as number) ** 2;
    expect(inside).toBeGreaterThan(3.98);
  });

  it("is orthonormal when nearly all columns of a matrix of rank one are asked for, whatever the start", async () => {
    const vector = Float64Array.from({ length: 72 }, (_, i) => Math.sin(i + 1));
    const data = Float32Array.from(
      { length: 72 * 72 },
      (_, at) => (vector[Math.floor(at / 72)] as number) * (vector[at % 72] as number),
    );
    // Square starting blocks of these keys were so near to singular that the iteration lost a column.
    for (const seed of [5, 8, 16, 21, 28]) {
      const key = keyFromSeed(seed);
      const { vectors } = await dominantBasis(
        engine,
        { rows: 72, columns: 72, data },
        { rank: 64, slack: 0, key },
      );
      expect(vectors.columns).toBe(64);
      expectIdentity(await reference.multiply(vectors, vectors, { transposeLeft: true }), 1e-5);
    }
  });

  it("takes all eigenvectors when the rank allows", async () => {
    const { matrix } = await spectrum(12, (i) => 12 - i);
    const { vectors, values } = await dominantBasis(engine, matrix, {
      rank: 99,
      slack: 0,
      key: keyFromSeed(4),
    });
    expect(vectors.columns).toBe(12);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(12 - i, 4);
  });
});

function random(rows: number, columns: number, seed: number): Matrix {
  const stream = randomStream(keyFromSeed(seed));
  return { rows, columns, data: Float32Array.from({ length: rows * columns }, () => stream.normal()) };
}

/** V diag(values) Vᵀ for a random orthonormal V. */
async function spectrum(size: number, eigenvalue: (i: number) => number) {
  const vectors = await reference.orthonormalize(random(size, size, 8));
  const scaled = { ...vectors, data: vectors.data.map((value, i) => value * eigenvalue(i % size)) };
  return { matrix: await reference.multiply(scaled, vectors, { transposeRight: true }), vectors };
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));
}

function expectClose(a: Matrix, b: Matrix, tolerance = 1e-5): void {
  expect([a.rows, a.columns, a.data.length]).toEqual([b.rows, b.columns, b.data.length]);
  expect(distance(a.data, b.data)).toBeLessThan(tolerance);
}

function expectIdentity({ rows, data }: Matrix, tolerance: number): void {
  const identity = data.map((_, i) => (i % (rows + 1) === 0 ? 1 : 0));
  expect(distance(data, identity)).toBeLessThan(tolerance);
}
