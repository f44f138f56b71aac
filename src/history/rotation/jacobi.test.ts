import fc from "fast-check";
import { expect, it } from "vitest";
import { digestArrays } from "../../kernel/digest.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { diagonalisingBasis } from "./jacobi.ts";

function symmetric(order: number, seed: number, scale = 1): Float64Array {
  const stream = randomStream(keyFromSeed(seed));
  const matrix = new Float64Array(order * order);
  for (let i = 0; i < order; i++) {
    for (let j = 0; j <= i; j++) {
      matrix[i * order + j] = scale * stream.normal();
      matrix[j * order + i] = matrix[i * order + j] as number;
    }
  }
  return matrix;
}

it("is orthonormal and leaves next to nothing off the diagonal, whatever the scale", () => {
  const arbitrary = fc.record({
    order: fc.integer({ min: 1, max: 24 }),
    seed: fc.nat(),
    octave: fc.integer({ min: -300, max: 180 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ order, seed, octave }) => {
      const matrix = symmetric(order, seed, 2 ** octave);
      const basis = diagonalisingBasis(matrix.slice(), order);
      const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
        let sum = 0;
        for (let at = 0; at < order; at++) sum += (a[at] as number) * (b[at] as number);
        return sum;
      };
      const row = (of: Float64Array, at: number) => of.subarray(at * order, (at + 1) * order);
      let [off, all, before] = [0, 0, Number.POSITIVE_INFINITY];
      for (let i = 0; i < order; i++) {
        const image = Float64Array.from(
          { length: order },
          (_, at) => dot(row(matrix, at), row(basis, i)) / 2 ** octave,
        );
        for (let j = 0; j < order; j++) {
          expect(dot(row(basis, i), row(basis, j))).toBeCloseTo(i === j ? 1 : 0, 12);
          const element = dot(image, row(basis, j));
          all += element * element;
          if (i !== j) off += element * element;
        }
        const eigenvalue = dot(image, row(basis, i));
        expect(eigenvalue).toBeLessThanOrEqual(before + 1e-6);
        before = eigenvalue;
      }
      expect(off).toBeLessThanOrEqual(1e-3 * all);
    }),
    { numRuns: 60 },
  );
});

it("gives the bits it always gave", () => {
  // Made by this test with Node 24.21: integers in, so that the input is equal everywhere.
  const matrix = Float64Array.from({ length: 49 }, (_, at) => {
    const [i, j] = [Math.floor(at / 7), at % 7];
    return i === 3 || j === 3 ? 0 : ((i * j * 31 + (i + j) * 17) % 23) - 11;
  });
  const basis = diagonalisingBasis(matrix, 7);
  expect(digestArrays(new Map([["basis", Float32Array.from(basis)]]))).toBe(
    "sha256:c047060f83cc48718cb17c14a8d8e53df17775eacf83aed48a9ade35c30272eb",
  );
});
