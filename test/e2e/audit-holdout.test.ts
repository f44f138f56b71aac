import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lethe } from "./lethe.ts";
import { writeIdx } from "./tiny-data.ts";

let directory: string;
const at = (...parts: readonly string[]): string => join(directory, ...parts);
const run = async (...args: readonly string[]): Promise<void> => {
  const finished = await lethe([...args, "--threads", "1"]);
  expect([finished.code, finished.stderr.slice(-500)]).toEqual([0, expect.any(String)]);
};
const audit = (name: string, ...args: readonly string[]) =>
  lethe([
    ...["audit", at(name), "--reference", "holdout", "--threads", "1"],
    ...["--store", at("store"), "--out", at(`${name}.html`), "--json", ...args],
  ]);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-holdout-"));
  // Classes that overlap: what a model knows beyond them it has learnt by heart.
  writeIdx(at("idx"), { spread: 3, counts: [400, 800] });
  const data = ["--data", `idx:${at("idx")}`, "--validation", "0", "--epochs", "30"];
  await run("train", ...data, "--model", "mlp:32", "--out", at("trained"));
  for (const [name, forget, method] of [
    ["do-nothing", "random:0.25", "do-nothing"],
    ["retrain", "random:0.25", "retrain"],
    ["class", "class:2", "retrain"],
  ] as const) {
    const request = ["--forget", forget, "--method", method, "--seed", "9"];
    await run("unlearn", at("trained"), ...request, "--out", at(name));
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("audit --reference holdout", () => {
  it("ends with 4 for a model that forgot nothing, and says on which comparison", async () => {
    const finished = await audit("do-nothing");
    const { verdict, reasons, heldOut } = finished.json();
    expect([finished.code, verdict]).toEqual([4, "fail"]);
    expect(reasons).toContainEqual(expect.stringMatching(/still remembers them/));
    expect(heldOut).toContainEqual(expect.objectContaining({ id: "held-out-loss", passes: false }));
    expect(readFileSync(at("do-nothing.html"), "utf8")).toContain("Forgotten against held-out samples");
  });

  it("ends with 4 for a retrained model too, which it finds plausible without training another", async () => {
    const finished = await audit("retrain");
    const { verdict, reasons, controls, references, version } = finished.json();
    expect([finished.code, verdict, references, version]).toEqual([4, "plausible", 0, 3]);
    expect(reasons).toEqual([expect.stringMatching(/weaker than a pass.*retrain:8/)]);
    expect(controls).toContainEqual(expect.objectContaining({ id: "original", outcome: "fail" }));
    expect(finished.stderr).not.toContain("references");
    const page = readFileSync(at("retrain.html"), "utf8");
    expect(page).toContain("Plausible, not passed");
    expect(page).toContain("No model was retrained");
    expect(page).not.toMatch(/NaN|undefined|\[object/);
    const compared = await lethe(["report", "compare", at("retrain.json"), "--out", at("compare.html")]);
    expect([compared.code, compared.stderr]).toEqual([
      3,
      expect.stringMatching(/judged by held-out samples/),
    ]);
  });

  it("gives no verdict on a whole class that is gone", async () => {
    const finished = await audit("class");
    const { verdict, reasons } = finished.json();
    expect([finished.code, verdict, reasons]).toEqual([
      4,
      "refused",
      [expect.stringMatching(/masked class/)],
    ]);
  });

  it("ends with 2 for figures that take retrained models", async () => {
    const finished = await audit("retrain", "--relearn");
    expect([finished.code, finished.stderr]).toEqual([2, expect.stringMatching(/no --relearn beside/)]);
  });
});
