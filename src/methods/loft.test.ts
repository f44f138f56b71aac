import { expect, it } from "vitest";
import { methodCase, unlearn } from "../../test/contract/method-case.ts";
import { classProbabilities } from "../../test/support/class-probabilities.ts";
import { mlp } from "../models/mlp.ts";
import { loft } from "./loft.ts";

const WIDTH = 16;
const architecture = mlp([60], 4, [WIDTH]);

it("forgets a class and keeps the others, by the weight of the forget samples it settles on", async () => {
  const { request } = await methodCase(architecture);
  const { weights, details } = await unlearn(loft, request);
  const rightOf = async (part: "forget" | "retain"): Promise<number> => {
    const rows = await classProbabilities(architecture, weights, request[part]);
    const right = rows.filter((row, at) => row[request[part].labels[at] as number] === Math.max(...row));
    return right.length / rows.length;
  };
  expect(await rightOf("forget")).toBeLessThanOrEqual(0.05);
  expect(await rightOf("retain")).toBeGreaterThan(0.95);
  expect([1, 0.1, 0.01]).toContain(details?.weight);
});

it("changes no answer at full rank", async () => {
  const { request } = await methodCase(architecture);
  const { weights } = await unlearn(loft, request, { rank: WIDTH });
  const before = await classProbabilities(architecture, request.weights, request.retain);
  const after = await classProbabilities(architecture, weights, request.retain);
  for (const [row, values] of after.entries()) {
    for (const [label, value] of values.entries()) expect(value).toBeCloseTo(before[row]?.[label] ?? -1, 5);
  }
});
