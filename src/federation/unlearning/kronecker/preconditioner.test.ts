import { expect, it } from "vitest";
import { layoutOf } from "../../../kernel/layout.ts";
import { adamCoordinates } from "./preconditioner.ts";

const layout = layoutOf([
  { name: "live", shape: [3], role: "parameter" },
  { name: "dead", shape: [2], role: "parameter" },
  { name: "mean", shape: [1], role: "buffer" },
]);
const secondMoment = Float32Array.of(4e-4, 1e-4, 9e-5, 0, 0, 7);
const q = adamCoordinates(layout, secondMoment);

it("makes covariance and response of preconditioned clients symmetric and proportional", () => {
  const curvature = [
    [3, 1, 0.5],
    [1, 2, -0.3],
    [0.5, -0.3, 1],
  ];
  const p = [...secondMoment.subarray(0, 3)].map((v) => 1 / Math.sqrt(v));
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      const [qi, qj] = [q[i] as number, q[j] as number];
      const f = curvature[i]?.[j] as number;
      // Covariance PFP seen as q∘D, response PF seen as q∘(PF)∘q⁻¹.
      const covariance = qi * (p[i] as number) * f * (p[j] as number) * qj;
      const response = (qi * (p[i] as number) * f) / qj;
      expect(response / covariance).toBeCloseTo(1, 3);
    }
  }
});

it("leaves buffers and tensors without gradients alone", () => {
  expect([...q.subarray(3)]).toEqual([1, 1, 1]);
});
