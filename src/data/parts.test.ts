import { describe, expect, it } from "vitest";
import { blobDataset } from "../../test/support/blobs.ts";
import { divideDataset } from "./parts.ts";

const dataset = blobDataset({ train: 300, test: 30, featureShape: [4], classes: 3 });

describe("divideDataset", () => {
  it("gives disjoint parts of every class in the same share", () => {
    const { train, validation, test } = divideDataset(dataset, { samples: 150, validation: 0.2 });
    expect([train.count, validation.count, test.count]).toEqual([120, 30, 30]);
    expect(validation.positionsByClass().map(({ length }) => length)).toEqual([10, 10, 10]);
    const ids = [train, validation].flatMap((part) => Array.from(part.labels, (_, at) => part.id(at)));
    expect(new Set(ids).size).toBe(150);
  });

  it("keeps everything for training unless asked, and divides alike every time", () => {
    const all = divideDataset(dataset, { validation: 0 });
    expect([all.train.count, all.validation.count]).toEqual([300, 0]);
    const twice = [0, 1].map(() => divideDataset(dataset, { validation: 0.1 }).validation);
    expect(twice[0]?.id(5)).toBe(twice[1]?.id(5));
  });

  it("refuses sizes the dataset cannot give", () => {
    expect(() => divideDataset(dataset, { samples: 301, validation: 0 })).toThrow(/1 to 300/);
    expect(() => divideDataset(dataset, { samples: 0, validation: 0 })).toThrow(/got 0/);
    expect(() => divideDataset(dataset, { validation: 10 })).toThrow(/not a percentage/);
  });
});
