import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Command } from "commander";
import { LetheError } from "../../kernel/errors.ts";
import { renderAuditReport } from "../../report/audit-report.ts";
import { isAuditDocument, parseAuditReport } from "../../report/audit-report-schema.ts";
import type { Contest, NamedDocument } from "../../report/contest/contest.ts";
import { contestOfAudits } from "../../report/contest/of-audits.ts";
import { contestOfComparisons, parseComparison } from "../../report/contest/of-comparisons.ts";
import { renderContest } from "../../report/contest-report.ts";
import { type CommonOptions, defineAction } from "../context.ts";
import { addPdfOptions, type PdfFlags, writePage } from "../report-files.ts";

interface ReportOptions extends CommonOptions, PdfFlags {}

/** `lethe report`: pages from documents that other commands wrote, of this version or an earlier one. */
export function reportCommand(): Command {
  const report = new Command("report").description("Make pages of documents that other commands wrote.");
  const show = new Command("show")
    .description("Make the page of an audit, or of `lethe bench methods`, anew from its JSON document.")
    .argument("<document>", "JSON of `lethe audit` or `lethe bench methods`, of any version");
  defineAction<ReportOptions>(
    addPdfOptions(show),
    "out/report.html",
    async (options, context, [path = ""]) => {
      const document = readJson(path);
      const page = isAuditDocument(document)
        ? renderAuditReport(parseAuditReport(document, path))
        : renderContest(
            contestOfComparisons([{ name: basename(path), document: parseComparison(document, path) }]),
          );
      const written = await writePage(options.out, page, options, context);
      return { json: { written }, text: [`written    ${written.join(", ")}`] };
    },
  );
  const compare = new Command("compare")
    .description(
      "Rank methods by documents of `lethe audit`, or of `lethe bench methods`, on one request: distances with intervals, forgetting against use against cost, and which differences are noise.",
    )
    .argument("<documents...>", "JSON of `lethe audit`, or of `lethe bench methods`")
    .addHelpText(
      "after",
      "\nExample:\n  lethe report compare out/scrub.json out/salun.json --out out/compare.html --pdf",
    );
  defineAction<ReportOptions>(addPdfOptions(compare), "out/compare.html", async (options, context, paths) => {
    const contest = contestOf(paths.map((path) => ({ name: path, document: readJson(path) })));
    const written = await writePage(options.out, renderContest(contest), options, context);
    return { json: { ...contest, written }, text: textOf(contest, written) };
  });
  report.addCommand(show);
  report.addCommand(compare);
  return report;
}

/** @throws LETHE_DATA_INCOMPARABLE, LETHE_DATA_REPORT */
function contestOf(documents: readonly NamedDocument<unknown>[]): Contest {
  const named = documents.map(({ name, document }) => ({ path: name, name: basename(name), document }));
  const audits = named.filter(({ document }) => isAuditDocument(document));
  if (audits.length === named.length) {
    return contestOfAudits(
      named.map(({ name, path, document }) => ({ name, document: parseAuditReport(document, path) })),
    );
  }
  if (audits.length === 0) {
    return contestOfComparisons(
      named.map(({ name, path, document }) => ({ name, document: parseComparison(document, path) })),
    );
  }
  throw new LetheError(
    "data",
    "DATA_INCOMPARABLE",
    `Expected audits, or comparisons of \`lethe bench methods\`, got both (${audits[0]?.name} is an audit). ` +
      "The latter train their own models: distances to other retrained models cannot be ranked against each other.",
  );
}

/** @throws LETHE_DATA_FILE, LETHE_DATA_REPORT */
function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new LetheError("data", "DATA_FILE", `Expected a readable file at ${path}.`, {
      cause,
      details: { path },
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LetheError("data", "DATA_REPORT", `Expected a JSON document in ${path}, got something else.`, {
      cause,
    });
  }
}

function textOf({ contestants, unit }: Contest, written: readonly string[]): string[] {
  return [
    `${"method".padEnd(28)}${["verdict", "forgetting", "use", "cost"].map((title) => title.padStart(12)).join("")}   (${unit})`,
    ...contestants.map(
      ({ name, verdict = "–", forgetting, utility, cost }) =>
        name.padEnd(28) +
        [
          verdict,
          forgetting.value.toFixed(3),
          utility.value.toFixed(3),
          cost === undefined ? "–" : `${(100 * cost).toFixed(1)} %`,
        ]
          .map((cell) => cell.padStart(12))
          .join(""),
    ),
    `written    ${written.join(", ")}`,
  ];
}
