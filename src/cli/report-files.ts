import { type Command, Option } from "commander";
import { writeFileAtomically } from "../storage/atomic-file.ts";
import type { CommandContext } from "./context.ts";
import { printPdf } from "./pdf.ts";

/** The flags of {@link addPdfOptions} as they come. */
export interface PdfFlags {
  readonly pdf?: boolean | string;
  readonly chromium?: string;
}

/** Adds `--pdf` and `--chromium` to a command that writes a page. */
export function addPdfOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--pdf [path]",
        "print the page as a PDF too (default: beside it), by the system's Chromium",
      ),
    )
    .option("--chromium <path>", "the browser that prints (default: the one on the PATH)");
}

/**
 * Writes a page and, where asked, its PDF.
 *
 * @returns the paths written, the page first
 * @throws LETHE_TRANSIENT_WRITE, and what {@link printPdf} throws
 */
export async function writePage(
  path: string,
  page: string,
  { pdf, chromium }: PdfFlags,
  { signal }: Pick<CommandContext, "signal">,
): Promise<readonly string[]> {
  writeFileAtomically(path, page);
  if (pdf === undefined || pdf === false) return [path];
  const printed = typeof pdf === "string" ? pdf : path.replace(/(\.html?)?$/, ".pdf");
  await printPdf(path, printed, { chromium, signal });
  return [path, printed];
}
