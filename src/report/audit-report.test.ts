import { describe, expect, it } from "vitest";
import { heldOutAudit, sampleAudit } from "./audit/sample-audit.fixture.ts";
import { renderAuditReport } from "./audit-report.ts";

describe("the report of an audit", () => {
  it("says the verdict, each reason and note, all figures with their limits, and every digest", () => {
    const report = sampleAudit();
    const page = renderAuditReport(report);
    for (const text of [
      "Audit failed",
      ...report.reasons,
      ...report.notes,
      "47.0% to 57.0%",
      "Shown, not judged",
      "2 exact, of 120; 3 near, of 120 compared",
      "sha256:dd",
    ]) {
      expect(page).toContain(text);
    }
    expect(page.match(/<svg/g)).toHaveLength(2);
    // Every drawing is described, and its figures are a table too.
    expect(page.match(/role="img" aria-label="[^"]{20,}"/g)).toHaveLength(2);
    expect(page.match(/The figures as a table/g)).toHaveLength(2);
  });

  it("escapes what comes from the data, runs no script and holds no address", () => {
    const page = renderAuditReport(sampleAudit());
    expect(page).toContain("T-shirt &lt;b&gt;");
    expect(page).not.toMatch(/<script|https?:\/\//);
  });

  it("marks a reported figure neither as within nor as outside", () => {
    const page = renderAuditReport(sampleAudit());
    const [, reported = ""] = page.split("Shown, not judged");
    expect(reported.split("</table>")[0]).not.toMatch(/✗|✓/);
  });

  it("shows relearning and attacks by many models where they were measured, and only there", () => {
    const report = sampleAudit();
    const page = renderAuditReport(report);
    const [, relearning = ""] = page.split('id="relearning"');
    expect(relearning).toMatch(/0\.037[\s\S]*20, 24, not in 200/);
    const [, many = ""] = page.split('id="many-models"');
    expect(many).toContain("U-LiRA, mean accuracy, retained samples");
    expect(many).toContain("Unlearned less retrained: +22.0\u00a0points.");
    const without = renderAuditReport({ ...report, relearning: undefined, manyModels: undefined });
    expect(without).not.toMatch(/id="(relearning|many-models)"/);
  });

  it("draws an audit by held-out samples, with every comparison, and says what it does not show", () => {
    const page = renderAuditReport(heldOutAudit());
    expect(page).toContain("Plausible, not passed");
    expect(page).toMatch(/role="img" aria-label="Distance from alike: loss, original 0\.300/);
    expect(page).toContain("It does not show how models answer that were trained without the samples");
    expect(page).not.toMatch(/NaN|0 models|undefined/);
  });

  it("does with the reasons alone where nothing was measured", () => {
    const { evidence: _, duplicates: __, ...rest } = sampleAudit();
    const page = renderAuditReport({
      ...rest,
      verdict: "refused",
      reasons: ["Nothing was forgotten."],
      metrics: {},
      controls: [],
      requests: [],
    });
    expect(page).toContain("This audit cannot tell whether nothing was removed");
    expect(page).not.toMatch(/id="(controls|figures|membership|classes)"/);
  });

  it("leaves the curve out where no unseen sample is of a forgotten class", () => {
    const report = sampleAudit();
    const { evidence } = report;
    if (evidence === undefined) throw new Error("expected evidence in the fixture");
    const empty = { auc: Number.NaN, points: [], floor: 0.5 };
    const page = renderAuditReport({
      ...report,
      evidence: { ...evidence, roc: { original: empty, unlearned: empty, retrained: empty } },
    });
    expect(page).toContain("has nothing to compare with");
    expect(page).not.toContain("NaN");
  });
});
