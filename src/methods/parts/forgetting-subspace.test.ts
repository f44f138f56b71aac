import { Matrix } from "ml-matrix";
import { describe, expect, it } from "vitest";
import { deriveKey, keyFromSeed, randomStream } from "../../kernel/key.ts";
import {
  type Covariances,
  descend,
  fixedPoint,
  gradientAt,
  judge,
  objectiveOf,
  overTrace,
  reduceTo,
} from "./forgetting-subspace.ts";

const SIZE = 16;

/** Retain and forget samples in different, overlapping directions. */
function covariances(seed: number): Covariances {
  const stream = randomStream(deriveKey(keyFromSeed(seed), "covariances"));
  const covariance = (strong: number): Matrix => {
    const rows = Array.from({ length: 60 }, () =>
      Array.from({ length: SIZE }, (_, at) => stream.normal() * (at % 5 === strong ? 3 : 0.5)),
    );
    const matrix = new Matrix(rows);
    return overTrace(SIZE, Float64Array.from(matrix.transpose().mmul(matrix).to1DArray()));
  };
  return { retain: covariance(0), forget: covariance(1) };
}

const options = { steps: 150, learningRate: 0.3, key: keyFromSeed(5) };

describe("the forgetting subspace", () => {
  it("stays orthonormal in every step", () => {
    descend(covariances(1), 4, { ...options, steps: 20 }, ({ basis }) => {
      const gram = basis.transpose().mmul(basis).sub(Matrix.eye(4));
      expect(Math.max(...gram.to1DArray().map(Math.abs))).toBeLessThan(1e-10);
    });
  });

  it.each([1, 2, 3])("is as good by descent as by the fixed point (%i)", (seed) => {
    const both = covariances(seed);
    const [found, oracle] = [descend(both, 4, options), fixedPoint(both, 4)];
    expect(objectiveOf(found)).toBeLessThan(1.05 * objectiveOf(oracle) + 1e-4);
  });

  it("has the gradient of its objective", () => {
    const both = covariances(4);
    const { basis } = descend(both, 3, { ...options, steps: 3 });
    const gradient = gradientAt(basis, both);
    const step = 1e-6;
    for (const [row, column] of [
      [0, 0],
      [5, 1],
      [9, 2],
    ] as const) {
      const moved = (by: number): number => {
        const other = basis.clone();
        other.set(row, column, other.get(row, column) + by);
        return objectiveOf(judge(other, both));
      };
      expect((moved(step) - moved(-step)) / (2 * step)).toBeCloseTo(gradient.get(row, column), 6);
    }
  });

  it("loses little when it is sought in the leading directions alone", () => {
    const both = covariances(7);
    const { reduced, lift } = reduceTo(both, 12);
    const found = judge(lift(fixedPoint(reduced, 3).basis), both);
    expect(objectiveOf(found)).toBeLessThan(1.1 * objectiveOf(fixedPoint(both, 3)) + 1e-3);
    const gram = found.basis.transpose().mmul(found.basis).sub(Matrix.eye(3));
    expect(Math.max(...gram.to1DArray().map(Math.abs))).toBeLessThan(1e-10);
  });

  it("keeps everything at full rank", () => {
    const { retainLoss, forgetKept } = fixedPoint(covariances(6), SIZE);
    expect(retainLoss).toBeCloseTo(0, 10);
    expect(forgetKept).toBeCloseTo(1, 10);
  });
});
