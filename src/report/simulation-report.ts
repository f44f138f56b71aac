import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { renderConfusion } from "./confusion.ts";
import { formatSignificant } from "./format.ts";
import { type Html, html } from "./html.ts";
import { renderPage, type Section } from "./page.ts";
import { renderCodecCurve } from "./simulation/codec-curve.ts";
import { renderCosts } from "./simulation/costs.ts";
import { renderDiagnosis } from "./simulation/diagnosis.ts";
import { renderExamples } from "./simulation/examples.ts";
import { findingsOf } from "./simulation/findings.ts";
import { renderHeadline } from "./simulation/headline.ts";
import { renderLead } from "./simulation/lead.ts";
import { renderMembership } from "./simulation/membership.ts";
import { renderProvenance } from "./simulation/provenance.ts";
import { renderRounds } from "./simulation/rounds.ts";
import { renderStorage } from "./simulation/storage.ts";
import { titleOf } from "./simulation/title.ts";
import { renderVerdict } from "./simulation/verdict.ts";
import {
  type SimulationReport,
  type SimulationReportInput,
  simulationReportSchema,
} from "./simulation-report-schema.ts";

/**
 * The report of a federated unlearning run as one self-contained HTML file: nothing is fetched, nothing is scripted.
 * Every sentence follows from the figures; the same data give the same bytes.
 *
 * @param data The result document of a simulation with the material for plots; a part that a run lacks is left out.
 * @throws LETHE_REPORT_DATA when the data do not fit the schema or contradict themselves.
 * @throws LETHE_REPORT_PICTURE_SIZE when an example has another number of pixels than its shape.
 */
export function renderSimulationReport(data: SimulationReportInput): string {
  const report = parse(data);
  const findings = findingsOf(report);
  return renderPage({
    kind: "Lethe · federated unlearning report",
    title: titleOf(report, findings),
    lead: renderLead(report, findings),
    sections: [
      section(
        "figures",
        "The result in figures",
        html`${renderHeadline(report)}${renderDistance(report)}`,
        "Figures",
      ),
      section("verdict", "Verdict and controls", renderVerdict(report, findings), "Verdict"),
      report.series && section("rounds", "Over the rounds", renderRounds(report.series), "Rounds"),
      report.codecCurve &&
        section("codec", "Size against quality", renderCodecCurve(report.codecCurve), "Codec"),
      ...picturesOf(report),
      report.membership &&
        section(
          "membership",
          "Membership test",
          renderMembership(report.membership, report.run.samples),
          "Membership",
        ),
      section("storage", "Storage account", renderStorage(report), "Storage"),
      section("costs", "What it cost", renderCosts(report), "Costs"),
      report.diagnosis &&
        section(
          "diagnosis",
          "What the rule says about itself",
          renderDiagnosis(report.diagnosis, report.run.method.title),
          "Self-diagnosis",
        ),
      report.limits.length > 0 &&
        section("limits", "Limits", html`<ul>${report.limits.map((limit) => html`<li>${limit}</li>`)}</ul>`),
      section("provenance", "Provenance", renderProvenance(report)),
    ].filter((part) => part !== undefined && part !== false),
    footer:
      "Bytes are decimal (1 MB = 1,000,000 bytes). Differences are in percentage points, taken before rounding. This page is one file, runs no script and loads nothing.",
  });
}

function parse(data: SimulationReportInput): SimulationReport {
  const parsed = simulationReportSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new LetheError(
    "data",
    "REPORT_DATA",
    `Expected the data of a simulation report, got something else. ${z.prettifyError(parsed.error)}`,
    { details: { issues: parsed.error.issues.length }, cause: parsed.error },
  );
}

function section(id: string, title: string, body: Html, shortTitle?: string): Section {
  return { id, title, body, ...(shortTitle === undefined ? {} : { shortTitle }) };
}

function picturesOf({ examples, confusion, run }: SimulationReport): readonly Section[] {
  if (examples === undefined && confusion.length === 0) return [];
  return [
    section(
      "pictures",
      "What the models answer",
      html`${examples && renderExamples(examples, run.attack?.kind === "backdoor" ? run.attack.target : undefined)}${confusion.map(renderConfusion)}`,
      "Answers",
    ),
  ];
}

function renderDistance({ parameterDistance }: SimulationReport): Html | false {
  return (
    parameterDistance !== undefined &&
    html`<p class="muted">Distance of the parameters to the retrained ones, as a share of the trained model’s distance: ${formatSignificant(parameterDistance)}. Parameters need not come back for predictions to do so; this figure is no test of removal.</p>`
  );
}
