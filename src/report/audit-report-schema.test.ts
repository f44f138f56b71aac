import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sampleAudit } from "./audit/sample-audit.fixture.ts";
import { renderAuditReport } from "./audit-report.ts";
import { AUDIT_VERSION } from "./audit-report-data.ts";
import { isAuditDocument, parseAuditReport } from "./audit-report-schema.ts";

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/reports/${name}`, import.meta.url), "utf8"));

describe("documents of audits", () => {
  // Written by the command line at the time of each version.
  it.each([
    ["audit-1.json", 2],
    ["audit-2.json", 10],
  ])("of earlier versions still open and show what they have: %s", (name, drawings) => {
    const document = read(name);
    expect(isAuditDocument(document)).toBe(true);
    const report = parseAuditReport(document, name);
    expect(report.version).toBe(AUDIT_VERSION);
    const page = renderAuditReport(report);
    expect(page).toContain("Audit failed");
    expect(page.match(/<svg/g)).toHaveLength(drawings);
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it("are the same after writing and reading", () => {
    const report = sampleAudit();
    expect(parseAuditReport(JSON.parse(JSON.stringify(report)), "a.json")).toEqual(report);
  });

  it("take a figure that is no number, which JSON writes as null", () => {
    const report = sampleAudit();
    const written = JSON.parse(JSON.stringify(report)) as {
      evidence: { roc: { original: { auc: unknown } } };
    };
    written.evidence.roc.original.auc = null;
    expect(parseAuditReport(written, "a.json").evidence?.roc.original.auc).toBeNaN();
  });

  it("of a later version, or none at all, are refused with the reason", () => {
    expect(() => parseAuditReport({ ...sampleAudit(), version: 99 }, "a.json")).toThrow(
      /version 3 or earlier in a\.json, got version 99/,
    );
    expect(() => parseAuditReport({ verdict: "maybe" }, "a.json")).toThrow(/does not fit/);
    expect(isAuditDocument({ case: {}, results: [] })).toBe(false);
    expect(isAuditDocument(null)).toBe(false);
  });
});
