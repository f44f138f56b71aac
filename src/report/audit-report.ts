import { renderClasses } from "./audit/classes.ts";
import { renderLead, titleOf } from "./audit/lead.ts";
import { renderMargins } from "./audit/margins.ts";
import { renderMetrics } from "./audit/metrics.ts";
import { renderProvenance } from "./audit/provenance.ts";
import { renderRoc } from "./audit/roc.ts";
import { renderControls, renderMeaning } from "./audit/verdict.ts";
import type { AuditReport } from "./audit-report-data.ts";
import { html } from "./html.ts";
import { renderPage } from "./page.ts";

/**
 * The report of an audit as one self-contained HTML file: first what a data protection officer needs, then what an engineer wants to check.
 * Every sentence follows from the figures; the same document gives the same bytes.
 */
export function renderAuditReport(report: AuditReport): string {
  const { evidence, classNames } = report;
  return renderPage({
    kind: "Lethe · unlearning audit",
    title: titleOf(report),
    lead: renderLead(report),
    sections: [
      {
        id: "meaning",
        title: "What this does and does not show",
        shortTitle: "Meaning",
        body: renderMeaning(report),
      },
      ...(report.controls.length === 0
        ? []
        : [{ id: "controls", title: "Controls", body: renderControls(report) }]),
      ...(Object.keys(report.metrics).length === 0
        ? []
        : [{ id: "figures", title: "All figures", shortTitle: "Figures", body: renderMetrics(report) }]),
      ...(evidence === undefined
        ? []
        : [
            {
              id: "membership",
              title: "Can an attacker tell what was in the training data?",
              shortTitle: "Membership",
              body: html`${renderRoc(evidence.roc)}${renderMargins(evidence.margins)}`,
            },
            {
              id: "classes",
              title: "Class by class",
              shortTitle: "Classes",
              body: renderClasses(evidence.classes, classNames),
            },
          ]),
      { id: "provenance", title: "Provenance", body: renderProvenance(report) },
    ],
    footer:
      "Shares are of the samples looked at. This page is one file, runs no script and loads nothing; the same figures are in the JSON document beside it.",
  });
}
