import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../../../kernel/key.ts";
import { referenceMatrices } from "../../../runtime/linear-algebra/reference.ts";
import type { FactoredBlock } from "./factors.ts";
import { probeInputs } from "./probe-inputs.ts";

// Features 0 and 2 are alive, 1 is dead, the bias is row 3.
const MEAN = [0.4, 0.7];
const COVARIANCE = [
  [0.01, 0.006],
  [0.006, 0.02],
];
const SCALE = 5;

describe("probeInputs", () => {
  it("draws inputs with the mean and covariance the first layer's factor tells of", async () => {
    const inputs = await probeInputs(firstLayer(true), [0, 1], referenceMatrices(), keyFromSeed(1));
    if (inputs === undefined) throw new Error("expected inputs");
    const count = inputs.length / 3;
    const column = (feature: number) =>
      Array.from({ length: count }, (_, n) => inputs[3 * n + feature] as number);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / count;
    const [a, b] = [column(0), column(2)];
    expect(mean(a)).toBeCloseTo(0.4, 1);
    expect(mean(b)).toBeCloseTo(0.7, 1);
    expect(column(1).every((value) => value === 0)).toBe(true);
    const together = mean(a.map((value, n) => (value - mean(a)) * ((b[n] as number) - mean(b))));
    // Four standard errors at 2,000 draws, and a little for the clipping of the second feature at 1.
    expect(Math.abs(together - 0.006)).toBeLessThan(0.0015);
    expect(Math.max(...inputs)).toBeLessThanOrEqual(1);
    expect(Math.min(...inputs)).toBeGreaterThanOrEqual(0);
  });

  it("gives nothing for a layer without a live bias", async () => {
    expect(await probeInputs(firstLayer(false), [0, 1], referenceMatrices(), keyFromSeed(1))).toBeUndefined();
  });
});

function firstLayer(hasBias: boolean): FactoredBlock {
  const moment = (i: number, j: number): number => {
    const m = [...MEAN, 1];
    return SCALE * ((COVARIANCE[i]?.[j] ?? 0) + (m[i] as number) * (m[j] as number));
  };
  const data = Float32Array.from({ length: 9 }, (_, at) => moment(Math.floor(at / 3), at % 3));
  const whole = {
    layer: "first",
    kind: "matrix",
    columns: 1,
    rows: 4,
    index: new Uint32Array(4),
    biasRow: 3,
  } as const;
  const factor = { matrix: { rows: 3, columns: 3, data }, live: [0, 2, 3], slack: 0 };
  return {
    whole: hasBias ? whole : { ...whole, biasRow: undefined },
    live: { ...whole, rows: 3, index: new Uint32Array(3), biasRow: hasBias ? 2 : undefined },
    factors: {
      rows: factor,
      columns: { matrix: { rows: 1, columns: 1, data: new Float32Array(1) }, live: [0], slack: 0 },
    },
  };
}
