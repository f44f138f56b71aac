import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTrainingRun } from "../../src/cli/training-run.ts";
import { digestArrays } from "../../src/kernel/digest.ts";
import { writeTrainingRun } from "../../src/storage/training-run.ts";
import { lethe } from "./lethe.ts";
import { writeIdx } from "./tiny-data.ts";

let directory: string;
const at = (...parts: readonly string[]): string => join(directory, ...parts);
const train = async (data: string, model: string, out: string): Promise<void> => {
  const args = ["--data", `idx:${at(data)}`, "--validation", "0", "--epochs", "2", "--threads", "1"];
  expect((await lethe(["train", ...args, "--model", model, "--out", at(out)])).code).toBe(0);
};
const unlearn = async (forget: string, out: string, ...args: readonly string[]): Promise<void> => {
  const request = ["--forget", forget, "--method", "retrain", "--threads", "1", "--out", at(out), ...args];
  expect((await lethe(["unlearn", at("trained"), ...request])).code).toBe(0);
};
/** The reasons of an audit that gave no verdict and ended with 4. */
async function refusal(name: string, ...args: readonly string[]): Promise<readonly string[]> {
  const common = ["--store", at("store"), "--threads", "1", "--out", at("audit.html"), "--json"];
  const finished = await lethe(["audit", at(name), ...common, ...args]);
  const { verdict, reasons } = finished.json() as { verdict: string; reasons: string[] };
  expect([finished.code, verdict]).toEqual([4, "refused"]);
  expect(readFileSync(at("audit.html"), "utf8")).toContain("Audit refused");
  return reasons;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-refusals-"));
  writeIdx(at("idx"));
  writeIdx(at("other-idx"));
  await train("idx", "mlp:8", "trained");
  await unlearn("class:2", "unlearned");
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("an audit by the command line refuses, with the reason,", () => {
  it("runs on other data or of another architecture", async () => {
    await train("other-idx", "mlp:8", "other-data");
    await train("idx", "mlp:4", "other-model");
    expect((await refusal("unlearned", "--original", at("other-data")))[0]).toMatch(/differ in data/);
    expect((await refusal("unlearned", "--original", at("other-model")))[0]).toMatch(/differ in model/);
  });

  it("a request that forgot nothing", async () => {
    expect((await refusal("trained", "--original", at("trained")))[0]).toMatch(/Nothing was forgotten/);
  });

  it("forgotten positions that were never trained on", async () => {
    cpSync(at("unlearned"), at("outside"), { recursive: true });
    const run = JSON.parse(readFileSync(at("outside", "run.json"), "utf8"));
    run.requests[0].positions.push(5000);
    writeFileSync(at("outside", "run.json"), JSON.stringify(run));
    expect((await refusal("outside", "--original", at("trained")))[0]).toMatch(
      /1 forgotten position is not of the training part, which has 200 samples/,
    );
  });

  it("data that changed since the training", async () => {
    cpSync(at("trained"), at("moved"), { recursive: true });
    const run = JSON.parse(readFileSync(at("moved", "run.json"), "utf8"));
    writeFileSync(at("moved", "run.json"), JSON.stringify({ ...run, trainedOn: `sha256:${"0".repeat(64)}` }));
    expect((await refusal("unlearned", "--original", at("moved")))[0]).toMatch(
      /not those the original was trained on/,
    );
  });

  it("references that were trained on the forgotten samples, and takes those that were not", async () => {
    for (const seed of [11, 12, 13, 14]) await unlearn("class:2", `ref-${seed}`, "--seed", String(seed));
    const runs = [11, 12, 13].map((seed) => at(`ref-${seed}`));
    const [reason] = await refusal("unlearned", "--reference", `runs:${[...runs, at("trained")].join(",")}`);
    expect(reason).toMatch(/trained was trained on the forgotten samples/);
    const args = [
      "--reference",
      `runs:${[...runs, at("ref-14")].join(",")}`,
      "--out",
      at("runs.html"),
      "--json",
    ];
    const finished = await lethe([
      "audit",
      at("unlearned"),
      "--threads",
      "1",
      "--store",
      at("store"),
      ...args,
    ]);
    const { references, reasons } = finished.json() as { references: number; reasons: string[] };
    expect([references, finished.stderr.includes("Measuring")]).toEqual([4, true]);
    expect(reasons.join()).not.toMatch(/was trained on/);
  });

  it("a model whose answers are no numbers", async () => {
    const { run, architecture, weights } = await openTrainingRun(at("unlearned"));
    const broken = new Map([...weights].map(([name, values]) => [name, values.map(() => Number.NaN)]));
    writeTrainingRun(at("broken"), architecture, broken, { ...run, digest: digestArrays(broken) });
    const args = ["--original", at("trained"), "--reference", "retrain:4"];
    expect((await refusal("broken", ...args))[0]).toMatch(/no numbers/);
  });

  it("data of one class only, before anything is trained", async () => {
    writeIdx(at("one-class"), { oneClass: true });
    const finished = await lethe(["train", "--data", `idx:${at("one-class")}`, "--out", at("one")]);
    expect([finished.code, finished.stderr]).toEqual([
      3,
      expect.stringMatching(/at least two classes, got one/),
    ]);
  });

  it("fewer samples than figures need", async () => {
    writeFileSync(at("five.txt"), "1\n2\n3\n4\n5\n");
    await unlearn(`indices:${at("five.txt")}`, "five");
    expect((await refusal("five"))[0]).toMatch(/Only 5 samples were forgotten; at least 10 are needed/);
  });
});
