import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lethe } from "./lethe.ts";
import { writeCsv, writeIdx } from "./tiny-data.ts";

let directory: string;
const at = (...parts: readonly string[]): string => join(directory, ...parts);
const unlearn = (from: string, out: string, forget: string, ...args: readonly string[]) =>
  lethe(["unlearn", at(from), "--forget", forget, "--out", at(out), "--threads", "1", "--json", ...args]);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-unlearn-"));
  writeCsv(at("trees.csv"));
  const data = `csv:${at("trees.csv")}?label=kind`;
  const train = ["train", "--data", data, "--model", "mlp:8", "--epochs", "4", "--threads", "1"];
  const { code, stderr } = await lethe([...train, "--out", at("model"), "--validation", "0.2"]);
  expect([code, stderr.includes("Error")]).toEqual([0, false]);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("lethe unlearn", () => {
  it("writes the model, how it came about, and what was really read; twice alike", async () => {
    const first = await unlearn("model", "once", "class:0", "--method", "neg-grad-plus");
    expect(first.code).toBe(0);
    const result = first.json() as Record<string, unknown>;
    expect(result).toMatchObject({ method: "neg-grad-plus", scope: "class", forget: "class:0" });
    expect(result.gradientEvaluations).toBeGreaterThan(0);
    const run = JSON.parse(readFileSync(at("once", "run.json"), "utf8"));
    expect(run.digest).toBe(result.digest);
    expect(run.requests).toHaveLength(1);
    const again = await unlearn("model", "twice", "class:0", "--method", "neg-grad-plus");
    expect((again.json() as Record<string, unknown>).digest).toBe(result.digest);
  });

  it("forgets again from its own result, and refuses what is gone already", async () => {
    await unlearn("model", "first", "class:0", "--method", "fine-tune");
    const second = await unlearn("first", "second", "random:0.2", "--method", "retrain");
    expect(second.code).toBe(0);
    const run = JSON.parse(readFileSync(at("second", "run.json"), "utf8"));
    const [one, two] = run.requests as { positions: number[] }[];
    expect(new Set([...(one?.positions ?? []), ...(two?.positions ?? [])]).size).toBe(
      (one?.positions.length ?? 0) + (two?.positions.length ?? 0),
    );
    const gone = await unlearn("first", "third", "class:0", "--method", "fine-tune");
    expect([gone.code, gone.stderr]).toEqual([3, expect.stringMatching(/gone already/)]);
  });

  it("prepares what a method needs once, and keeps it beside the model", async () => {
    const first = await unlearn("model", "pgu-1", "random:0.1", "--method", "pgu", "--set", "epochs=2");
    expect((first.json() as Record<string, unknown>).preparation).toMatchObject({
      bytes: expect.any(Number),
    });
    const second = await unlearn("model", "pgu-2", "random:0.1", "--method", "pgu", "--set", "epochs=2");
    const { preparation, digest } = second.json() as Record<string, unknown>;
    expect([preparation, digest]).toEqual([undefined, (first.json() as Record<string, unknown>).digest]);
  });

  it.each([
    ["a method that does not exist", ["class:0", "--method", "scrubb"], 2, /Expected a method .*scrub/],
    ["a setting that does not exist", ["class:0", "--method", "scrub", "--set", "alhpa=1"], 2, /alhpa/],
    ["a class that does not exist", ["class:7", "--method", "fine-tune"], 2, /class:7/],
    ["everything", ["class:0,class:1,class:2", "--method", "fine-tune"], 2, /forget all/],
    [
      "a client of a federation",
      ["client:1", "--method", "fine-tune"],
      2,
      /trained centrally|lethe simulate/,
    ],
    [
      "an indices file that is not there",
      ["indices:nowhere.txt", "--method", "fine-tune"],
      3,
      /nowhere\.txt/,
    ],
  ])("refuses %s", async (_what, [forget = "", ...args], code, message) => {
    const finished = await unlearn("model", "refused", forget, ...args);
    expect([finished.code, finished.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  it("says when a rate ruined the model, and gives the last one that was not", async () => {
    const args = ["--method", "gradient-ascent", "--set", "learningRate=1e30"];
    const finished = await unlearn("model", "ruined", "class:0", ...args);
    expect(finished.json()).toMatchObject({ stop: { by: "ruin", reason: expect.stringMatching(/is kept/) } });
  });

  it("says when a stopping rule did not fire, and when nothing watches the model", async () => {
    const capped = await unlearn("model", "capped", "class:0", "--method", "pgu", "--set", "epochs=1");
    expect(capped.json()).toMatchObject({
      stop: { by: "cap", reason: expect.stringMatching(/did not fire/) },
    });
    const data = `csv:${at("trees.csv")}?label=kind`;
    await lethe([
      "train",
      "--data",
      data,
      "--model",
      "mlp:8",
      "--epochs",
      "1",
      "--out",
      at("unwatched"),
      "--validation",
      "0",
    ]);
    const unwatched = await unlearn("unwatched", "blind", "class:0", "--method", "gradient-ascent");
    expect([unwatched.code, unwatched.stderr]).toEqual([0, expect.stringMatching(/no held-out samples/)]);
    // What is retained is watched where nothing is held out.
    const ascent = ["--method", "neg-grad-plus", "--set", "learningRate=10", "--set", "epochs=20"];
    expect((await unlearn("unwatched", "ruined-too", "class:0", ...ascent)).json()).toMatchObject({
      stop: { by: "ruin", reason: expect.stringMatching(/is kept/) },
    });
    const ruled = await unlearn("unwatched", "x", "class:0", "--method", "scrub-r");
    expect([ruled.code, ruled.stderr]).toEqual([3, expect.stringMatching(/validation share/)]);
  });

  it("refuses a request that names no sample, and a method whose layer the model lacks", async () => {
    writeFileSync(at("none.txt"), "");
    const empty = await unlearn("model", "x", `indices:${at("none.txt")}`, "--method", "fine-tune");
    expect([empty.code, empty.stderr]).toEqual([3, expect.stringMatching(/none/)]);
    writeIdx(at("pictures"));
    const model = ["--model", "all-cnn", "--epochs", "1", "--threads", "1"];
    await lethe(["train", "--data", `idx:${at("pictures")}`, ...model, "--out", at("headless")]);
    const headless = await unlearn("headless", "x", "class:0", "--method", "camu");
    expect([headless.code, headless.stderr]).toEqual([2, expect.stringMatching(/dense layer/)]);
  });

  it("refuses its own directory, one that holds no model, and a model that was changed", async () => {
    expect((await unlearn("model", "model", "class:0", "--method", "fine-tune")).stderr).toMatch(
      /another directory/,
    );
    expect((await unlearn("nowhere", "x", "class:0", "--method", "fine-tune")).code).toBe(3);
    await unlearn("model", "changed", "class:0", "--method", "fine-tune");
    writeFileSync(at("changed", "model.onnx"), readFileSync(at("model", "model.onnx")));
    expect((await unlearn("changed", "x", "class:1", "--method", "fine-tune")).code).toBe(5);
  });
});
