import fc from "fast-check";
import { expect, it } from "vitest";
import { interpret } from "../../../test/support/interpreter.ts";
import { operators } from "../../autodiff/operators/index.ts";
import { Graph } from "../../onnx/graph.ts";
import type { Value } from "../../onnx/ir.ts";
import { type Harmony, harmonise } from "./harmonise.ts";

/** Two parameters, of two numbers and one. */
const SHAPES: readonly (readonly [string, number])[] = [
  ["w", 2],
  ["b", 1],
];

function harmonised(retain: readonly number[], forget: readonly number[], harmony: Harmony) {
  const graph = new Graph(operators);
  const declared = (prefix: string) =>
    new Map(SHAPES.map(([name, size]) => [name, graph.input(`${prefix}:${name}`, "float32", [size])]));
  const result = harmonise(declared("retain"), declared("forget"), harmony);
  const fed = (prefix: string, [x, y, z]: readonly number[]) => ({
    [`${prefix}:w`]: { shape: [2], data: Float64Array.of(x ?? 0, y ?? 0) },
    [`${prefix}:b`]: { shape: [1], data: Float64Array.of(z ?? 0) },
  });
  const values: Value[] = [...result.retain.values(), ...result.forget.values(), result.cosine];
  const [rw, rb, fw, fb, cosine] = interpret(values, {
    ...fed("retain", retain),
    ...fed("forget", forget),
  }).map(({ data }) => [...data]) as [number[], number[], number[], number[], number[]];
  return { retain: [...rw, ...rb], forget: [...fw, ...fb], cosine: cosine[0] as number };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
const vector = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 3, maxLength: 3 });

it("leaves no forget gradient that works against the retain gradient, whichever they are", () => {
  fc.assert(
    fc.property(vector, vector, (r, f) => {
      const { forget } = harmonised(r, f, "one-sided");
      expect(dot(forget, r)).toBeGreaterThanOrEqual(
        -1e-8 * Math.sqrt(dot(forget, forget) * dot(r, r)) - 1e-9,
      );
      const mutual = harmonised(r, f, "mutual");
      expect(dot(mutual.forget, r)).toBeGreaterThanOrEqual(-1e-9);
      expect(dot(mutual.retain, f)).toBeGreaterThanOrEqual(-1e-9);
    }),
  );
});

it("changes nothing where there is no conflict, or where none is to be settled", () => {
  expect(harmonised([1, 2, 0], [3, 0, 1], "mutual")).toMatchObject({ retain: [1, 2, 0], forget: [3, 0, 1] });
  expect(harmonised([1, 2, 0], [-3, 0, 1], "none")).toMatchObject({ retain: [1, 2, 0], forget: [-3, 0, 1] });
  expect(harmonised([0, 0, 0], [-3, 0, 1], "mutual")).toMatchObject({ forget: [-3, 0, 1], cosine: 0 });
});

it("weighs both against what the other was, over all parameters together", () => {
  // ⟨g_f, g_r⟩ = −2 + 0 + 1 = −1, ‖g_r‖² = 2, ‖g_f‖² = 5.
  const { retain, forget, cosine } = harmonised([1, 0, 1], [-2, 0, 1], "mutual");
  expect(forget).toEqual([-1.5, 0, 1.5]);
  expect(retain.map((value) => Number(value.toFixed(9)))).toEqual([0.6, 0, 1.2]);
  expect(cosine).toBeCloseTo(-1 / Math.sqrt(10), 9);
  expect(harmonised([1, 0, 1], [-2, 0, 1], "one-sided").retain).toEqual([1, 0, 1]);
});
