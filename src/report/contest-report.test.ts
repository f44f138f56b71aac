import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MetricRow } from "../audit/audit-document.ts";
import { sampleAudit } from "./audit/sample-audit.fixture.ts";
import type { AuditReport } from "./audit-report-data.ts";
import { contestOfAudits } from "./contest/of-audits.ts";
import { contestOfComparisons, parseComparison } from "./contest/of-comparisons.ts";
import { renderContest } from "./contest-report.ts";

/** An audit of a method whose forget error and test accuracy are given; retrained models lie around 52 and pass from 47 to 57. */
function auditOf(method: string, ua: number, ta: number, changes: Partial<AuditReport> = {}): AuditReport {
  const base = sampleAudit();
  const row = (id: string, value: number): MetricRow => ({
    ...(base.metrics[id] as MetricRow),
    unlearned: value,
    ci: [value - 0.52 - 0.01, value - 0.52 + 0.01],
    references: [0.51, 0.52, 0.53, 0.52],
  });
  return {
    ...base,
    verdict: Math.abs(ua - 0.52) < 0.05 ? "pass" : "fail",
    metrics: { ua: row("ua", ua), ta: row("ta", ta) },
    requests: [{ spec: "class:1", method, samples: 120 }],
    costs: [
      { what: `Unlearning by ${method}`, gradientEvaluations: method === "cheap" ? 10 : 500 },
      { what: "Retraining one reference", gradientEvaluations: 1000 },
    ],
    ...changes,
  };
}
const named = (audits: readonly AuditReport[]) =>
  audits.map((document, at) => ({ name: `${"abc"[at]}.json`, document }));

describe("a comparison of audits", () => {
  const contest = contestOfAudits(
    named([auditOf("cheap", 0.02, 0.52), auditOf("near", 0.53, 0.51), auditOf("far", 0.02, 0.3)]),
  );

  it("puts passes first, then those nearer to retrained models, in widths of the band", () => {
    expect(contest.contestants.map(({ name }) => name)).toEqual(["near", "cheap", "far"]);
    expect(contest.contestants[0]?.forgetting.value).toBeCloseTo(0.2, 9);
    // Half a hundredth of the 5 hundredths on either side.
    expect(contest.contestants[1]?.forgetting).toMatchObject({
      value: expect.closeTo(10, 9),
      low: expect.closeTo(9.8, 9),
      high: expect.closeTo(10.2, 9),
    });
    expect(contest.contestants[0]?.forgetting.low).toBeCloseTo(0, 9);
    expect(contest.contestants[1]?.cost).toBe(0.01);
  });

  it("calls a difference noise when two retrained models differ by as much", () => {
    // s = 0.00816 over 4 models: t₀.₉₇₅,₃ · s · √2 = 3.182 · 0.00816 · 1.414
    expect(contest.figures[0]?.noise).toBeCloseTo(0.03675, 4);
    const page = renderContest(contest);
    expect(page).toContain("Nearest to retraining: <strong>near</strong>");
    expect(page).toMatch(/<th scope="row">cheap<\/th><td><\/td><td>ta<\/td>/);
    const alike = contestOfAudits(named([auditOf("a", 0.52, 0.52), auditOf("b", 0.53, 0.5)]));
    expect(renderContest(alike)).toContain("<td>within noise</td>");
  });

  it("names methods on the front of forgetting, use and cost, and not those another beats", () => {
    const table = renderContest(contest).split("Forgetting, use and cost</caption>")[1] ?? "";
    expect(table).toMatch(/>cheap<\/th>(<td class="number">[^<]*<\/td>){3}<td>yes/);
    expect(table).toMatch(/>far<\/th>(<td class="number">[^<]*<\/td>){3}<td>–/);
  });

  it("tells audits of one method apart by their files", () => {
    const twice = contestOfAudits(named([auditOf("same", 0.5, 0.5), auditOf("same", 0.4, 0.5)]));
    expect(twice.contestants.map(({ name }) => name)).toEqual(["same (a.json)", "same (b.json)"]);
  });

  it.each([
    ["requests", { requests: [{ spec: "class:2", method: "other", samples: 120 }] }],
    ["data", { data: "fashion-mnist" }],
    ["models", { recipe: { epochs: 6 } }],
    ["references", { digests: { ...sampleAudit().digests, retrained: ["sha256:ee"] } }],
  ] as const)("refuses audits with different %s, with the reason", (what, changes) => {
    const audits = named([auditOf("a", 0.5, 0.5), auditOf("b", 0.5, 0.5, changes)]);
    expect(() => contestOfAudits(audits)).toThrow(
      new RegExp(`a\\.json and b\\.json have different .*${what}`),
    );
  });

  it("finds other requests by their digest, whatever they are called", () => {
    const digests = { ...sampleAudit().digests, data: "sha256:1", forget: "sha256:2" };
    const one = auditOf("a", 0.5, 0.5, { digests });
    const other = auditOf("b", 0.5, 0.5, { digests: { ...digests, forget: "sha256:3" } });
    expect(() => contestOfAudits(named([one, other]))).toThrow(/different requests/);
  });
});

describe("a comparison of methods", () => {
  // As an earlier version wrote it, with a second retrained model beside the first.
  const document: unknown = JSON.parse(
    readFileSync(new URL("../../test/fixtures/reports/comparison-1.json", import.meta.url), "utf8"),
  );
  const parsed = parseComparison(document, "comparison-1.json");

  it("of an earlier version still opens, with intervals over its seeds and the noise of retraining", () => {
    const contest = contestOfComparisons([{ name: "comparison-1.json", document: parsed }]);
    expect(contest.contestants.length).toBeGreaterThan(2);
    for (const { forgetting, cost } of contest.contestants) {
      expect(forgetting.low).toBeLessThanOrEqual(forgetting.value);
      expect(forgetting.high).toBeGreaterThanOrEqual(forgetting.value);
      expect(cost).toBeGreaterThanOrEqual(0);
    }
    expect(contest.figures.every(({ noise }) => Number.isFinite(noise))).toBe(true);
    expect(renderContest(contest)).not.toMatch(/NaN|undefined/);
  });

  it("takes the noise from the method that retrains where there is no second retrained model", () => {
    const [reference] = parsed.references;
    const figures = { ...reference?.retrained, ua: 0.9 } as never;
    const results = [
      ...parsed.results,
      { method: "retrain", seed: reference?.seed ?? 0, figures, timeShare: 1, gradientShare: 1 },
    ];
    const references = parsed.references.slice(0, 1).map(({ control: _, ...rest }) => rest);
    const contest = contestOfComparisons([
      {
        name: "c.json",
        document: { ...parsed, results: results.filter(({ seed }) => seed === 0), references },
      },
    ]);
    expect(contest.contestants.map(({ name }) => name)).not.toContain("retrain");
    expect(contest.figures.find(({ id }) => id === "ua")?.noise).toBeGreaterThan(0.1);
    expect(contest.lead.join(" ")).toContain("no intervals");
  });

  it("refuses another case, and a document that is none", () => {
    const other = { ...parsed, case: { ...parsed.case, forget: "class:4" } };
    expect(() =>
      contestOfComparisons([
        { name: "a.json", document: parsed },
        { name: "b.json", document: other },
      ]),
    ).toThrow(/different cases/);
    expect(() => parseComparison({}, "c.json")).toThrow(/c\.json, got one that is neither/);
  });
});
