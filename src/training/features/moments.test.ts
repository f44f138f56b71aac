import fc from "fast-check";
import { expect, it } from "vitest";
import { inputSubspace } from "./input-subspace.ts";
import { covariance, emptyMoments, mergeMoments, momentsOf, secondMoment } from "./moments.ts";

const SIZE = 3;
const rows = fc
  .array(fc.tuple(...Array.from({ length: SIZE }, () => fc.double({ min: -5, max: 5, noNaN: true }))), {
    maxLength: 8,
  })
  .map((list) => list.flat());

it("moments of parts merged in any order are those of the whole", () => {
  fc.assert(
    fc.property(rows, rows, rows, (a, b, c) => {
      const [ma, mb, mc] = [momentsOf(a, SIZE), momentsOf(b, SIZE), momentsOf(c, SIZE)];
      const whole = momentsOf([...a, ...b, ...c], SIZE);
      for (const merged of [mergeMoments(mergeMoments(ma, mb), mc), mergeMoments(mc, mergeMoments(mb, ma))]) {
        expect(merged.count).toBe(whole.count);
        merged.mean.forEach((value, i) => {
          expect(value).toBeCloseTo(whole.mean[i] as number, 9);
        });
        merged.scatter.forEach((value, i) => {
          expect(value).toBeCloseTo(whole.scatter[i] as number, 8);
        });
      }
    }),
  );
});

it("keep the digits of a small spread around a large mean", () => {
  const offset = 1e6;
  const merged = [0, 1, 2, 3]
    .map((value) => momentsOf([offset + value], 1))
    .reduce(mergeMoments, emptyMoments(1));
  expect(covariance(merged)[0]).toBeCloseTo(5 / 3, 9);
});

it("give covariance and second moment by their definitions", () => {
  const moments = momentsOf([1, 2, 3, 5, 5, 11], 2);
  expect([...covariance(moments)].map((value) => Number(value.toFixed(9)))).toEqual([4, 9, 9, 21]);
  expect([...secondMoment(moments)].map((value) => Number(value.toFixed(9)))).toEqual([35, 72, 72, 150]);
  expect(() => covariance(momentsOf([1, 2], 2))).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_EMPTY" }),
  );
  expect(() => mergeMoments(emptyMoments(2), emptyMoments(3))).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_SHAPE" }),
  );
});

it("the subspace of rows on a line is that line, with the norm of all as its singular value", () => {
  const { basis, rank, singularValues } = inputSubspace(momentsOf([3, 4, 6, 8, -3, -4], 2), 0.999);
  expect(rank).toBe(1);
  expect(Math.abs(basis[0] as number)).toBeCloseTo(0.6, 6);
  expect(Math.abs(basis[1] as number)).toBeCloseTo(0.8, 6);
  expect(singularValues[0]).toBeCloseTo(Math.sqrt(25 + 100 + 25), 6);
});
