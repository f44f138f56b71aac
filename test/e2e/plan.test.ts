import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lethe } from "./lethe.ts";
import { writeCsv } from "./tiny-data.ts";

let directory: string;
const at = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "lethe-plan-"));
  writeCsv(at("trees.csv"));
  const data = `csv:${at("trees.csv")}?label=kind`;
  const args = ["train", "--data", data, "--model", "mlp:4", "--epochs", "2", "--threads", "1"];
  expect((await lethe([...args, "--out", at("model")])).code).toBe(0);
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("plan", () => {
  it("lists the methods for a request with cost and guarantee, and chooses one with its reason", async () => {
    const finished = await lethe(["plan", at("model"), "--forget", "class:1", "--json"]);
    expect(finished.code).toBe(0);
    expect(finished.json()).toMatchObject({
      scope: "class",
      choice: "retrain",
      why: expect.stringMatching(/exact/),
      candidates: expect.arrayContaining([
        expect.objectContaining({ id: "scrub", guarantee: expect.any(String), lacks: expect.any(Array) }),
      ]),
    });
    const asked = await lethe(["plan", at("model"), "--forget", "class:1"]);
    expect(asked.stdout).toMatch(/^choice +retrain$/m);
  });

  it("ends with 2 without a request, or with half of what a history's plan needs", async () => {
    const without = await lethe(["plan", at("model")]);
    expect([without.code, without.stderr]).toEqual([2, expect.stringMatching(/--forget/)]);
    const half = await lethe(["plan", "--rounds", "10", "--clients", "3"]);
    expect([half.code, half.stderr]).toEqual([
      2,
      expect.stringMatching(/--parameters, --budget are missing/),
    ]);
  });
});
