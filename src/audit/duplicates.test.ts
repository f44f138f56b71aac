import { expect, it } from "vitest";
import { blobs } from "../../test/support/blobs.ts";
import { findDuplicates } from "./duplicates.ts";

it("counts exact copies everywhere and near ones among those compared", () => {
  const pool = blobs({ count: 60, featureShape: [8], classes: 3, seed: 1 });
  const at = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, index) => from + index);
  const forget = pool.subset(at(0, 20));
  // Three of the forget samples are kept a second time, one of them twice.
  const retain = pool.subset([...at(20, 60), 4, 9, 9, 11]);
  const unseen = blobs({ count: 60, featureShape: [8], classes: 3, seed: 2 });
  const found = findDuplicates(forget, retain, { forget, retain, unseen, test: unseen });
  expect(found).toMatchObject({ exact: 3, forget: 20, compared: 20 });
  expect(found.near).toBeGreaterThanOrEqual(3);
  const clean = findDuplicates(forget, pool.subset(at(20, 60)), {
    forget,
    retain: pool.subset(at(20, 60)),
    unseen,
    test: unseen,
  });
  expect(clean).toMatchObject({ exact: 0 });
  expect(clean.near).toBeLessThan(3);
});
