import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROMIUM } from "../support/chromium.ts";
import { lethe } from "./lethe.ts";

const fixture = (name: string): string => join(import.meta.dirname, "../fixtures/reports", name);
let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-report-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("report show", () => {
  it.each(["audit-1.json", "audit-2.json", "comparison-1.json"])(
    "makes the page of %s anew",
    async (name) => {
      const finished = await lethe(["report", "show", fixture(name), "--out", at(`${name}.html`), "--json"]);
      expect([finished.code, finished.json()]).toEqual([0, { written: [at(`${name}.html`)] }]);
      expect(readFileSync(at(`${name}.html`), "utf8")).toMatch(/^<!doctype html>/);
    },
  );

  it("prints a PDF by the system's browser", async () => {
    const args = ["report", "show", fixture("audit-1.json"), "--out", at("printed.html")];
    const finished = await lethe([...args, "--pdf", "--chromium", CHROMIUM]);
    expect([finished.code, finished.stderr]).toEqual([0, expect.not.stringContaining("Error")]);
    expect(readFileSync(at("printed.pdf")).subarray(0, 5).toString()).toBe("%PDF-");
  });

  it("ends with 2 where no browser is, and says where the page lies", async () => {
    const args = ["report", "show", fixture("audit-1.json"), "--out", at("unprinted.html"), "--pdf"];
    const named = await lethe([...args, "--chromium", at("nowhere")]);
    expect([named.code, named.stderr]).toEqual([
      2,
      expect.stringMatching(/--chromium PATH.*unprinted\.html/),
    ]);
    const searched = await lethe(args, { env: { PATH: directory } });
    expect([searched.code, searched.stderr]).toEqual([2, expect.stringContaining("on the PATH")]);
  });

  it("ends with 3 for files that are no document of ours", async () => {
    writeFileSync(at("text.json"), "no JSON");
    writeFileSync(at("other.json"), "{}");
    for (const [name, reason] of [
      ["text.json", /JSON document/],
      ["other.json", /neither/],
      ["missing.json", /readable file/],
    ] as const) {
      const finished = await lethe(["report", "show", at(name)]);
      expect([finished.code, finished.stderr]).toEqual([3, expect.stringMatching(reason)]);
    }
  });
});

describe("report compare", () => {
  it("ranks audits on one request, and refuses others with what differs", async () => {
    const audit = JSON.parse(readFileSync(fixture("audit-2.json"), "utf8"));
    writeFileSync(at("a.json"), JSON.stringify(audit));
    writeFileSync(
      at("b.json"),
      JSON.stringify({ ...audit, requests: [{ ...audit.requests[0], method: "other" }] }),
    );
    const finished = await lethe([
      "report",
      "compare",
      at("a.json"),
      at("b.json"),
      "--out",
      at("c.html"),
      "--json",
    ]);
    expect(finished.code).toBe(0);
    expect(finished.json()).toMatchObject({
      unit: "bands",
      contestants: [{ name: "do-nothing" }, { name: "other" }],
      written: [at("c.html")],
    });
    const digests = { ...audit.digests, forget: "sha256:0" };
    writeFileSync(at("b.json"), JSON.stringify({ ...audit, digests }));
    for (const [other, reason] of [
      [at("b.json"), /different requests/],
      [fixture("comparison-1.json"), /got both/],
    ] as const) {
      const refused = await lethe(["report", "compare", at("a.json"), other, "--out", at("d.html")]);
      expect([refused.code, refused.stderr]).toEqual([3, expect.stringMatching(reason)]);
    }
  });
});
