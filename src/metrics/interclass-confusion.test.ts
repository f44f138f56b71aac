import { expect, it } from "vitest";
import { interclassConfusion } from "./interclass-confusion.ts";

it("interclass confusion counts errors of the two classes, and those between them", () => {
  //                     a  a  a  b  b  other
  const labels = Int32Array.of(0, 0, 0, 1, 1, 2);
  const predicted = Int32Array.of(0, 1, 2, 0, 1, 0);
  expect(interclassConfusion(predicted, labels, [0, 1])).toEqual({ error: 0.6, confused: 2 });
  expect(interclassConfusion(labels, labels, [1, 2])).toEqual({ error: 0, confused: 0 });
});

it("interclass confusion needs two classes, and test samples of both", () => {
  const labels = Int32Array.of(0, 1);
  expect(() => interclassConfusion(labels, labels, [1, 1])).toThrow(/two classes/);
  expect(() => interclassConfusion(labels, labels, [0, 4])).toThrow(/class 4/);
  expect(() => interclassConfusion(Int32Array.of(0), labels, [0, 1])).toThrow(/one length/);
});
