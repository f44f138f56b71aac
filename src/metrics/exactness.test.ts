import { expect, it } from "vitest";
import { digestArrays } from "../kernel/digest.ts";
import { isExact } from "./exactness.ts";

it("exactness is equality to the last bit, and refuses what is no digest", () => {
  const digest = (value: number) => digestArrays(new Map([["w", Float32Array.of(value)]]));
  expect(isExact(digest(1), digest(1))).toBe(true);
  expect(isExact(digest(1), digest(1 + 2 ** -23))).toBe(false);
  expect(isExact(digest(0), digest(-0))).toBe(false);
  expect(() => isExact("" as never, "" as never)).toThrow(/sha256/);
});
