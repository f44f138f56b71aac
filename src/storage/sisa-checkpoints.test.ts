import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { digestJson } from "../kernel/digest.ts";
import { encodeTensors } from "./safetensors.ts";
import { sisaCheckpointFiles } from "./sisa-checkpoints.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-sisa-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

it("gives back what was written, and a second checkpoint leaves nothing of the first", async () => {
  const checkpoints = sisaCheckpointFiles(directory);
  expect(await checkpoints.read(0, 1)).toBeUndefined();
  const first = { weights: new Map([["w", Float32Array.of(1.5, -2)]]), recipe: digestJson("first") };
  const second = { weights: new Map([["w", Float32Array.of(0.25, 4)]]), recipe: digestJson("second") };
  await checkpoints.write(0, 1, first);
  expect(await checkpoints.read(0, 1)).toEqual(first);
  await checkpoints.write(0, 1, second);
  expect(await sisaCheckpointFiles(directory).read(0, 1)).toEqual(second);
  expect(readdirSync(join(directory, "shard-1"))).toEqual(["slice-2.safetensors"]);
  expect(readFileSync(join(directory, "shard-1", "slice-2.safetensors"), "latin1")).not.toContain(
    first.recipe,
  );
  expect(await checkpoints.read(1, 0)).toBeUndefined();
});

it("refuses a file that is no checkpoint, and a damaged one", () => {
  const checkpoints = sisaCheckpointFiles(directory);
  const path = join(directory, "shard-1", "slice-2.safetensors");
  const tensors = new Map([["w", { shape: [1], data: Float32Array.of(1) }]]);
  writeFileSync(path, encodeTensors({ tensors, metadata: {} }));
  expect(() => checkpoints.read(0, 1)).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_CHECKPOINT" }),
  );
  writeFileSync(path, readFileSync(path).subarray(0, 20));
  expect(() => checkpoints.read(0, 1)).toThrowError(
    expect.objectContaining({ code: "LETHE_DATA_SAFETENSORS" }),
  );
});
