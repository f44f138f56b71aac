import { renderClasses } from "./audit/classes.ts";
import { renderManyModels, renderRelearning } from "./audit/costly-figures.ts";
import { renderCosts } from "./audit/costs.ts";
import { renderEmbedding } from "./audit/embedding.ts";
import { renderGroups } from "./audit/groups.ts";
import { renderHeldOut } from "./audit/held-out.ts";
import { renderInversion } from "./audit/inversion.ts";
import { renderLayers } from "./audit/layers.ts";
import { renderLead, titleOf } from "./audit/lead.ts";
import { renderMargins } from "./audit/margins.ts";
import { renderMetrics } from "./audit/metrics.ts";
import { renderOfficer } from "./audit/officer.ts";
import { renderPictures } from "./audit/pictures.ts";
import { renderProvenance } from "./audit/provenance.ts";
import { renderRoc } from "./audit/roc.ts";
import { renderScatter } from "./audit/scatter.ts";
import { renderControls } from "./audit/verdict.ts";
import type { AuditReport } from "./audit-report-data.ts";
import { renderConfusion } from "./confusion.ts";
import { html } from "./html.ts";
import { renderPage, type Section } from "./page.ts";

/**
 * The report of an audit as one self-contained HTML file: the result in plain words, one page for the data protection officer, then what an
 * engineer wants to check. Every sentence follows from the figures; the same document gives the same bytes.
 */
export function renderAuditReport(report: AuditReport): string {
  const { controls, metrics, heldOut, costs, seconds } = report;
  return renderPage({
    kind: "Lethe · unlearning audit",
    title: titleOf(report),
    lead: renderLead(report),
    sections: [
      {
        id: "officer",
        title: "For the data protection officer",
        shortTitle: "Officer",
        body: renderOfficer(report),
        isOwnPage: true,
      },
      ...(controls.length === 0 ? [] : [{ id: "controls", title: "Controls", body: renderControls(report) }]),
      ...(Object.keys(metrics).length === 0
        ? []
        : [{ id: "figures", title: "All figures", shortTitle: "Figures", body: renderMetrics(report) }]),
      ...(heldOut === undefined
        ? []
        : [
            {
              id: "held-out",
              title: "Forgotten against held-out samples",
              shortTitle: "Held-out",
              body: renderHeldOut(heldOut),
            },
          ]),
      ...evidenceSections(report),
      ...costlySections(report),
      ...(costs === undefined
        ? []
        : [{ id: "costs", title: "What it cost", shortTitle: "Cost", body: renderCosts(costs, seconds) }]),
      {
        id: "provenance",
        title: "Provenance and configuration",
        shortTitle: "Provenance",
        body: renderProvenance(report),
      },
    ],
    footer:
      "Shares are of the samples looked at. This page is one file, runs no script and loads nothing; the same figures are in the JSON document beside it.",
  });
}

/** What was only measured where it was asked for. */
function costlySections({ relearning, manyModels = [] }: AuditReport): readonly Section[] {
  return [
    ...(relearning === undefined
      ? []
      : [
          {
            id: "relearning",
            title: "How fast is it learnt again?",
            shortTitle: "Relearning",
            body: renderRelearning(relearning),
          },
        ]),
    ...(manyModels.length === 0
      ? []
      : [
          {
            id: "many-models",
            title: "The method, on many models",
            shortTitle: "Method",
            body: renderManyModels(manyModels),
          },
        ]),
  ];
}

/** Everything there is a drawing of; documents of earlier versions have fewer. */
function evidenceSections({ evidence, classNames }: AuditReport): readonly Section[] {
  if (evidence === undefined) return [];
  const { groups = [], confusion, layers = [], embedding, pictures, inversion } = evidence;
  return [
    {
      id: "membership",
      title: "Can an attacker tell what was in the training data?",
      shortTitle: "Membership",
      body: html`${renderRoc(evidence.roc)}${renderMargins(evidence.margins)}${evidence.scatter && renderScatter(evidence.scatter)}`,
    },
    {
      id: "classes",
      title: groups.length > 0 ? "Class by class and group by group" : "Class by class",
      shortTitle: "Classes",
      body: html`${renderClasses(evidence.classes, classNames)}${groups.length > 0 && renderGroups(groups)}${
        confusion &&
        renderConfusion(
          {
            title: "test samples",
            classes: confusion.labels.map((label) => classNames[label] ?? String(label)),
            matrices: {
              trained: confusion.matrices.original,
              unlearned: confusion.matrices.unlearned,
              retrained: confusion.matrices.retrained,
            },
            names: { trained: "Original", retrained: "Retrained, all" },
          },
          0,
        )
      }`,
    },
    ...(embedding === undefined && layers.length === 0
      ? []
      : [
          {
            id: "features",
            title: "Inside the model",
            shortTitle: "Features",
            body: html`${embedding && renderEmbedding(embedding, classNames)}${layers.length > 0 && renderLayers(layers)}`,
          },
        ]),
    ...(pictures === undefined && inversion === undefined
      ? []
      : [
          {
            id: "pictures",
            title: "Pictures",
            body: html`${pictures && renderPictures(pictures, classNames)}${inversion && renderInversion(inversion, classNames)}`,
          },
        ]),
  ];
}
