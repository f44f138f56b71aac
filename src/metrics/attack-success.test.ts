import { expect, it } from "vitest";
import { attackSuccess } from "./attack-success.ts";

it("attack success does not count samples that are of the attacker's class anyway", () => {
  const found = attackSuccess(Int32Array.of(7, 7, 1, 7, 2), Int32Array.of(7, 1, 1, 2, 2), 7);
  expect(found).toMatchObject({ share: 0.5, samples: 4 });
  expect(found.low).toBeLessThan(0.5);
  expect(found.high).toBeGreaterThan(0.5);
});

it("attack success of none in few samples leaves room for some in its interval", () => {
  const none = attackSuccess(new Int32Array(20), new Int32Array(20).fill(1), 3);
  expect(none).toMatchObject({ share: 0, low: 0 });
  expect(none.high).toBeGreaterThan(0.1);
});

it("attack success needs samples of other classes, and one prediction each", () => {
  expect(() => attackSuccess(Int32Array.of(1), Int32Array.of(1), 1)).toThrow(/samples of other classes/);
  expect(() => attackSuccess(Int32Array.of(1), Int32Array.of(1, 2), 1)).toThrow(/one length/);
});
