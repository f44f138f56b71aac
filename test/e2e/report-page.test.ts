import { readFileSync } from "node:fs";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutAudit, sampleAudit } from "../../src/report/audit/sample-audit.fixture.ts";
import { renderAuditReport } from "../../src/report/audit-report.ts";
import { parseAuditReport } from "../../src/report/audit-report-schema.ts";
import { contestOfAudits } from "../../src/report/contest/of-audits.ts";
import { contestOfComparisons, parseComparison } from "../../src/report/contest/of-comparisons.ts";
import { renderContest } from "../../src/report/contest-report.ts";
import { sampleReport } from "../../src/report/simulation/sample-report.fixture.ts";
import { renderSimulationReport } from "../../src/report/simulation-report.ts";
import { launchChromium } from "../support/chromium.ts";

/** What each page is, and how many drawings it has at least. */
const REPORTS = [
  ["a simulation", () => renderSimulationReport(sampleReport()), 2],
  ["an audit", () => renderAuditReport(sampleAudit()), 2],
  ["an audit by held-out samples", () => renderAuditReport(heldOutAudit()), 1],
  [
    "an audit with all its evidence",
    () => renderAuditReport(parseAuditReport(fixture("audit-2.json"), "")),
    2,
  ],
  ["a comparison of audits", () => renderContest(contestOfAudits(sampleContest())), 2],
  [
    "a comparison of methods",
    () => {
      const document = parseComparison(fixture("comparison-1.json"), "");
      return renderContest(contestOfComparisons([{ name: "c.json", document }]));
    },
    2,
  ],
] as const;

function sampleContest() {
  const document = parseAuditReport(fixture("audit-2.json"), "");
  const other = {
    ...document,
    requests: [{ spec: "class:2", method: "a-method-with-a-long-name", samples: 50 }],
  };
  return [
    { name: "a.json", document },
    { name: "b.json", document: other },
  ];
}

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/reports/${name}`, import.meta.url), "utf8"));
}

/** What is wrong for readers who do not see, or not well: contrast, headings, names, roles. */
async function barriersOn(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(
    "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 150))))",
  );
  return found as readonly string[];
}

/** Drawings and images without a description of some length. */
const UNDESCRIBED = `[...document.querySelectorAll("img, [role=img]")]
  .filter((element) => (element.getAttribute("alt") ?? element.getAttribute("aria-label") ?? "").length < 12)
  .map((element) => element.outerHTML.slice(0, 150))`;

// Chromium comes from the system (`.ci/run` installs it); without one this file fails rather than passing unseen.
describe.each(REPORTS)("the report of %s in a browser", (_name, render, drawings) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
  });

  for (const width of [390, 1200]) {
    for (const colorScheme of ["light", "dark"] as const) {
      it(`loads nothing, complains of nothing and fits a ${colorScheme} page of ${width} pixels`, async () => {
        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
        const page = await context.newPage();
        const troubles: string[] = [];
        page.on("console", (message) => troubles.push(message.text()));
        page.on("pageerror", (error) => troubles.push(error.message));
        page.on("request", (request) => {
          if (!request.url().startsWith("data:")) troubles.push(`request ${request.url()}`);
        });
        await page.setContent(render(), { waitUntil: "load" });
        const sizes = await page.evaluate(
          "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        );
        const [scroll, client] = sizes as [number, number];
        expect(troubles).toEqual([]);
        expect(scroll).toBeLessThanOrEqual(client);
        expect(await page.evaluate(UNDESCRIBED)).toEqual([]);
        // What it looks at does not depend on the width, and takes seconds.
        if (width > 1000) expect(await barriersOn(page)).toEqual([]);
        expect(await page.locator("h1").count()).toBe(1);
        expect(await page.locator("svg").count()).toBeGreaterThanOrEqual(drawings);
        await context.close();
      });
    }
  }
});
