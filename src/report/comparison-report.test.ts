import { describe, expect, it } from "vitest";
import type { Comparison, ComparisonRow } from "../planning/comparison/case.ts";
import { comparisonReport } from "./comparison-report.ts";

const figures = (gap: number): Comparison => ({ ua: 1, ra: 0.9, ta: 0.8, mia: 0.5, gap, tow: 0.9, kl: 0.1 });
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
    results: [row("slow-far", 0.3, 0.9), row("near", 0.01, 0.5), row("fast", 0.1, 0.01)],
    failures: [{ method: "<script>", seed: 0, code: "LETHE_NUMERIC_LOSS", message: "diverged" }],
    references: [{ original: figures(0.5), retrained: figures(0), control: figures(0.02) }],
  });

  it("names the nearest method, ranks all, and gives every figure as a table", () => {
    expect(page).toContain("Nearest to retraining: <strong>near</strong>");
    expect(page.indexOf(">near<")).toBeLessThan(page.indexOf(">slow-far<"));
    expect(page).toContain("Two retrained models differ by 2.0 points");
    expect(page).toContain("retrained again");
  });

  it("names only methods no other beats in both beside the dots, and escapes what it shows", () => {
    const plot = page.slice(page.indexOf('id="trade"'), page.indexOf("Cost by method"));
    expect(plot).toContain(">fast<");
    expect(plot).not.toContain(">slow-far<");
    expect(page).toContain("&lt;script&gt;");
    expect(page).not.toContain("<script>");
  });
});
