import fc from "fast-check";
import { expect, it } from "vitest";
import { singularValues } from "./singular-values.ts";
import { leadingColumns, rankForShare } from "./truncation.ts";

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
  .chain(([rows, columns]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      data: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      }),
    }),
  );

it("a matrix is the sum of its singular triples, in descending order, tall or wide", () => {
  fc.assert(
    fc.property(matrices, ({ rows, columns, data }) => {
      const { values, left, right } = singularValues(rows, columns, data);
      const count = Math.min(rows, columns);
      expect(values).toHaveLength(count);
      expect([...values]).toEqual([...values].sort((a, b) => b - a));
      data.forEach((value, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns];
        let sum = 0;
        for (let k = 0; k < count; k++) {
          sum += (values[k] as number) * (left[i * count + k] as number) * (right[j * count + k] as number);
        }
        expect(sum).toBeCloseTo(value, 9);
      });
    }),
    { numRuns: 60 },
  );
});

it("entries of the smallest size beside others do no harm", () => {
  const { values } = singularValues(2, 2, [-5e-324, 0, -5e-324, -1e-9]);
  expect([...values]).toEqual([1e-9, 0]);
});

it("entries that are no numbers are refused", () => {
  expect(() => singularValues(1, 2, [1, Number.NaN])).toThrowError(
    expect.objectContaining({ code: "LETHE_NUMERIC_NOT_FINITE" }),
  );
});

it("the rank is the least that holds the share, of values or of squares", () => {
  const values = Float64Array.of(4, 3, 2, 1);
  expect([0, 0.4, 0.41, 0.7, 0.9, 1].map((share) => rankForShare(values, share))).toEqual([0, 1, 2, 2, 3, 4]);
  expect([0.5, 0.83, 0.9, 1].map((share) => rankForShare(values, share, 2))).toEqual([1, 2, 3, 4]);
  expect(rankForShare(Float64Array.of(3, 1, -1e-18), 1)).toBe(2);
  expect(rankForShare(Float64Array.of(0, 0), 1)).toBe(0);
  for (const share of [-0.1, 1.1, Number.NaN]) {
    expect(() => rankForShare(values, share)).toThrowError(
      expect.objectContaining({ code: "LETHE_USAGE_FRACTION" }),
    );
  }
});

it("leading columns keep their rows", () => {
  expect([...leadingColumns(Float64Array.of(1, 2, 3, 4, 5, 6), 2, 3, 2)]).toEqual([1, 2, 4, 5]);
});
