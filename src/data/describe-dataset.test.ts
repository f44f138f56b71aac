import { expect, it } from "vitest";
import { describeDataset } from "./describe-dataset.ts";
import { samplesOf } from "./samples.ts";

it("counts classes, subjects and groups of the training part, the most frequent first", () => {
  const samples = samplesOf({
    idPrefix: "t",
    featureShape: [1],
    features: { values: new Float32Array(4) },
    labels: Int32Array.of(0, 1, 1, 1),
    classCount: 3,
    subjects: { codes: Int32Array.of(0, 1, 1, 2), names: ["ann", "bo", ""] },
    groups: { town: { codes: Int32Array.of(0, 1, 0, 1), names: ["Ulm", "Bonn"] } },
  });
  const summary = describeDataset({
    id: "t",
    title: "T",
    licence: "none",
    classNames: ["a", "b", "c"],
    featureShape: [1],
    train: samples,
    test: samples.subset([0]),
  });
  expect(summary).toMatchObject({
    counts: { train: 4, test: 1 },
    classes: [
      { name: "a", count: 1 },
      { name: "b", count: 3 },
      { name: "c", count: 0 },
    ],
    subjects: [
      { name: "bo", count: 2 },
      { name: "ann", count: 1 },
    ],
    groups: {
      town: [
        { name: "Bonn", count: 2 },
        { name: "Ulm", count: 2 },
      ],
    },
  });
});
