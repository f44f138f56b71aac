import { describe, expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

describe("symmetricEigen", () => {
  it.each([1, 2, 3, 10, 60])(
    "rebuilds a random symmetric matrix of size %i from orthonormal vectors",
    (size) => {
      const stream = randomStream(keyFromSeed(size));
      const matrix = new Float64Array(size * size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = stream.normal();
      }
      const { values, vectors } = symmetricEigen(size, matrix);
      expectDecomposition(size, matrix, values, vectors);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
    },
  );

  it("copes with zero, diagonal, repeated and graded eigenvalues", () => {
    const size = 8;
    for (const diagonal of [
      [0, 0, 0, 0, 0, 0, 0, 0],
      [3, -1, 4, -1, 5, -9, 2, 6],
      [2, 2, 2, 2, 2, 2, 2, 2],
      [1, 1e-4, 1e-8, 1e-12, 1e-16, 1e-20, 0, 1e8],
    ]) {
      // A reflection hides the diagonal.
      const v = Array.from({ length: size }, (_, i) => 1 / Math.sqrt(size) + (i === 0 ? 0.3 : 0));
      const norm2 = v.reduce((sum, x) => sum + x * x, 0);
      const reflect = (i: number, j: number) =>
        (i === j ? 1 : 0) - (2 * (v[i] as number) * (v[j] as number)) / norm2;
      const matrix = new Float64Array(size * size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          for (let k = 0; k < size; k++) {
            matrix[i * size + j] =
              (matrix[i * size + j] as number) + reflect(i, k) * (diagonal[k] as number) * reflect(j, k);
          }
        }
      }
      const { values, vectors } = symmetricEigen(size, matrix);
      expectDecomposition(size, matrix, values, vectors);
      const scale = Math.max(1, ...diagonal.map(Math.abs));
      for (const [i, value] of diagonal.toSorted((a, b) => b - a).entries()) {
        expect(Math.abs((values[i] as number) - value)).toBeLessThan(1e-14 * scale * size);
      }
    }
  });

  it("refuses entries that are not finite", () => {
    expect(() => symmetricEigen(3, [1, 0, 0, Number.NaN, 1, 0, 0, 1, 1])).toThrow(/NaN or an infinity/);
  });
});

function expectDecomposition(
  size: number,
  matrix: Float64Array,
  values: Float64Array,
  vectors: Float64Array,
): void {
  const scale = Math.max(1, ...matrix.map(Math.abs));
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let rebuilt = 0;
      let product = 0;
      for (let k = 0; k < size; k++) {
        rebuilt +=
          (values[k] as number) * (vectors[i * size + k] as number) * (vectors[j * size + k] as number);
        product += (vectors[k * size + i] as number) * (vectors[k * size + j] as number);
      }
      expect(Math.abs(rebuilt - (matrix[i * size + j] as number))).toBeLessThan(1e-12 * scale);
      expect(Math.abs(product - (i === j ? 1 : 0))).toBeLessThan(1e-13);
    }
  }
}
