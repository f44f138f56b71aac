import { expect, it } from "vitest";
import { blobs } from "../../../test/support/blobs.ts";
import { keyFromSeed } from "../../kernel/key.ts";
import { classDiverseBatches } from "./class-diverse-batches.ts";

const samples = blobs({ count: 60, featureShape: [2], classes: 5, seed: 1 });
const order = { batchSize: 8, key: keyFromSeed(3) };
const classesOf = (count: number, epoch: number): readonly string[] =>
  classDiverseBatches(samples, count, { ...order, epoch }).map((stream) => {
    const labels = Array.from({ length: 10 }, () => [
      ...(stream.next().value.labels as BigInt64Array),
    ]).flat();
    return [...new Set(labels)].sort().join();
  });

it("deals every class to one stream, otherwise in another epoch", () => {
  const hands = classesOf(3, 0);
  expect(hands.join().split(",").sort().join()).toBe("0,1,2,3,4");
  expect(classesOf(3, 0)).toEqual(hands);
  expect([1, 2, 3].map((epoch) => String(classesOf(3, epoch)))).not.toEqual(new Array(3).fill(String(hands)));
});

it("gives streams beyond the classes samples of all", () => {
  expect([...classesOf(7, 0)].sort()).toEqual(["0", "0,1,2,3,4", "0,1,2,3,4", "1", "2", "3", "4"]);
});
