import { describe, expect, it } from "vitest";
import type { Comparison, ComparisonRow } from "../planning/comparison/case.ts";
import { comparisonReport } from "./comparison-report.ts";

const figures = (gap: number): Comparison => ({
  ua: 1,
  ra: 0.9,
  ta: 0.8,
  mia: 0.5,
  gap,
  tow: 0.9,
  towMia: 0.8,
  kl: 0.1,
});
const row = (method: string, gap: number, timeShare: number): ComparisonRow => ({
  method,
  seed: 0,
  settings: {},
  figures: figures(gap),
  seconds: 1,
  gradientEvaluations: 10,
  timeShare,
  gradientShare: 0.1,
  digest: "sha256:0",
});

describe("the comparison report", () => {
  const page = comparisonReport({
    case: { data: "digits", model: "mlp", forget: "class:3", seeds: 1, trials: 1 },
    counts: { forget: 10, retain: 90 },
    results: [
      row("retrain", 0.02, 1),
      row("slow-far", 0.3, 0.9),
      row("near", 0.01, 0.5),
      { ...row("fast", 0.1, 0.01), preparation: { seconds: 1, bytes: 4e6, timeShare: 0.5 } },
    ],
    failures: [{ method: "<script>", seed: 0, code: "LETHE_NUMERIC_LOSS", message: "diverged" }],
    references: [{ seed: 0, original: figures(0.5), retrained: figures(0) }],
    klom: { trained: { mean: 7.25, p95: 9, floor: 0.3 }, fast: { mean: 1.5, p95: 2, floor: 0.3 } },
  });

  it("names the nearest method, ranks all, and gives every figure as a table", () => {
    expect(page).toContain("Nearest to retraining: <strong>near</strong>");
    expect(page.indexOf(">near<")).toBeLessThan(page.indexOf(">slow-far<"));
    expect(page).toContain("Two retrained models differ by 2.0 points");
    expect(page).toContain("retrained again");
    expect(page).toContain("7.25");
  });

  it("counts preparations with the first request, and a tenth of them with each of ten", () => {
    const costs = page.slice(page.indexOf("Cost by method"));
    const cells = costs
      .slice(costs.indexOf(">fast<"))
      .match(/>[\d.]+( MB)?</g)
      ?.slice(0, 5);
    expect(cells).toEqual([">1.0<", ">10.0<", ">51.0<", ">6.0<", ">4.0 MB<"]);
  });

  it("names only methods no other beats in both beside the dots, and escapes what it shows", () => {
    const plot = page.slice(page.indexOf('id="trade"'), page.indexOf("Cost by method"));
    expect(plot).toContain(">fast<");
    expect(plot).not.toContain(">slow-far<");
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toContain("<script>");
  });
});
