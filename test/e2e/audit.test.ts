import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lethe } from "./lethe.ts";
import { writeIdx } from "./tiny-data.ts";

let directory: string;
const at = (...parts: readonly string[]): string => join(directory, ...parts);
const audit = (name: string, ...args: readonly string[]) =>
  lethe([
    "audit",
    at(name),
    ...["--store", at("store"), "--threads", "1", "--out", at(`${name}.html`), "--json"],
    ...args,
  ]);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-audit-"));
  writeIdx(at("idx"));
  const data = ["--data", `idx:${at("idx")}`, "--validation", "0", "--epochs", "12"];
  expect(
    (await lethe(["train", ...data, "--model", "mlp:32", "--threads", "1", "--out", at("trained")])).code,
  ).toBe(0);
  for (const method of ["do-nothing", "retrain"]) {
    const request = ["--forget", "class:2", "--method", method, "--seed", "9", "--threads", "1"];
    expect((await lethe(["unlearn", at("trained"), ...request, "--out", at(method)])).code).toBe(0);
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("audit", () => {
  it("ends with 4 for a model that forgot nothing, and writes why as JSON and as a page", async () => {
    const finished = await audit("do-nothing", "--reference", "retrain:6");
    expect([finished.code, finished.signal]).toEqual([4, null]);
    const result = finished.json();
    expect(result).toMatchObject({
      verdict: "fail",
      reasons: expect.arrayContaining([expect.stringMatching(/still knows forgotten samples/)]),
      controls: expect.arrayContaining([
        expect.objectContaining({ id: "original", expected: "fail", outcome: "fail" }),
        expect.objectContaining({ id: "retrained-6", expected: "pass", outcome: "pass" }),
        expect.objectContaining({ id: "random-init", outcome: "fail" }),
        expect.objectContaining({ id: "ruin", outcome: "fail" }),
      ]),
    });
    const { ua } = result.metrics as Record<string, Record<string, unknown>>;
    expect(ua).toMatchObject({
      original: expect.any(Number),
      unlearned: expect.any(Number),
      retrained: 1,
      floor: expect.any(Number),
      ci: [expect.any(Number), expect.any(Number)],
    });
    expect(JSON.parse(readFileSync(at("do-nothing.json"), "utf8"))).toEqual(result);
    expect(readFileSync(at("do-nothing.html"), "utf8")).toContain("Audit failed");
  });

  it("measures relearning and attacks by many models where asked to", async () => {
    const finished = await audit(
      "do-nothing",
      "--reference",
      "retrain:4",
      "--relearn",
      "--attack",
      "u-lira:8",
    );
    const { relearning, manyModels } = finished.json() as Record<string, never>;
    expect(relearning).toMatchObject({ steps: { original: 0, unlearned: 0 }, anamnesis: expect.any(Number) });
    expect(manyModels).toContainEqual(expect.objectContaining({ id: "u-lira", set: "retain" }));
    expect(manyModels).toContainEqual(expect.objectContaining({ id: "klom", set: "unseen" }));
  });

  it("uses the references of an earlier audit, and gives a retrained model no failure", async () => {
    const finished = await audit("retrain", "--reference", "retrain:6");
    expect(finished.stderr).toContain("[1/3]");
    expect(finished.stderr).not.toMatch(/\d+ of 6/);
    const { verdict, reasons } = finished.json();
    expect([verdict, finished.code, reasons]).toEqual(["pass", 0, [expect.any(String)]]);
  });

  it("refuses with 4 when there are too few references or nothing was forgotten", async () => {
    for (const [name, args, reason] of [
      ["retrain", ["--reference", "retrain:2"], /at least 4/],
      ["trained", ["--original", at("trained")], /Nothing was forgotten/],
    ] as const) {
      const finished = await audit(name, ...args);
      expect(finished.code).toBe(4);
      const { verdict, reasons } = finished.json() as { verdict: string; reasons: string[] };
      expect([verdict, reasons[0]]).toEqual(["refused", expect.stringMatching(reason)]);
      expect(existsSync(at(`${name}.html`))).toBe(true);
    }
  });

  it("refuses with 4 when the two runs are not of one training", async () => {
    const path = at("retrain", "run.json");
    const run = readFileSync(path, "utf8");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(run), seed: 99 }));
    const finished = await audit("retrain");
    writeFileSync(path, run);
    expect([finished.code, finished.json().reasons]).toEqual([4, [expect.stringMatching(/differ in seed/)]]);
  });

  it("ends with 2 for a reference that is none, or an original nobody names", async () => {
    expect((await audit("retrain", "--reference", "8")).code).toBe(2);
    const said = at("retrain", "unlearn.json");
    renameSync(said, `${said}.away`);
    const finished = await audit("retrain");
    renameSync(`${said}.away`, said);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain("--original");
  });

  it("ends with 5 when the model was changed after it was written", async () => {
    const path = at("retrain", "run.json");
    const run = readFileSync(path, "utf8");
    writeFileSync(path, run.replace(/"digest": "sha256:..../, '"digest": "sha256:0000'));
    const finished = await audit("retrain");
    writeFileSync(path, run);
    expect(finished.code).toBe(5);
  });
});
