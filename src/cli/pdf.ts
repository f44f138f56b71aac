import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { LetheError } from "../kernel/errors.ts";

/** Names under which systems have Chromium or a browser made of it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "msedge"];

/**
 * Prints a page to a PDF file by the system's Chromium, which asks nobody outside.
 *
 * @param page - path of the HTML file
 * @param pdf - path of the file to be written
 * @param chromium - path of the browser; looked for on the PATH when left out
 * @throws LETHE_USAGE_CHROMIUM when there is none; LETHE_TRANSIENT_PDF when it printed nothing; LETHE_CANCELLED
 */
export async function printPdf(
  page: string,
  pdf: string,
  {
    chromium,
    signal,
  }: { readonly chromium?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const browser = chromium ?? browserOnPath();
  if (browser === undefined || !existsSync(browser)) {
    throw new LetheError(
      "usage",
      "USAGE_CHROMIUM",
      `Expected Chromium or Chrome ${chromium === undefined ? "on the PATH" : `at ${chromium}`} to print the PDF, found none. ` +
        `Install it, or give its path as --chromium PATH; the page itself is at ${page}.`,
    );
  }
  const profile = mkdtempSync(join(tmpdir(), "lethe-print-"));
  try {
    rmSync(pdf, { force: true });
    const said = await run(
      browser,
      [
        "--headless",
        // In containers there is often no user namespace; the page is our own and runs no script.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        `--user-data-dir=${profile}`,
        "--no-pdf-header-footer",
        `--print-to-pdf=${resolve(pdf)}`,
        pathToFileURL(resolve(page)).href,
      ],
      signal,
    );
    if (existsSync(pdf) && statSync(pdf).size > 0) return;
    throw new LetheError(
      "transient",
      "TRANSIENT_PDF",
      `Expected ${browser} to print ${page}, but it wrote no PDF. It said: ${said.slice(-500) || "nothing"}`,
    );
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
  }
}

function browserOnPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for us: the next one.
    return false;
  }
}

function run(command: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  return new Promise((done, fail) => {
    let said = "";
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...(signal && { signal }) });
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on("error", (cause) =>
      fail(
        signal?.aborted
          ? new LetheError("cancelled", "CANCELLED", "The printing was cancelled.", { cause })
          : new LetheError(
              "usage",
              "USAGE_CHROMIUM",
              `Expected to start ${command}, but could not. Is it a browser?`,
              {
                cause,
              },
            ),
      ),
    );
    child.on("close", () => done(said));
  });
}
