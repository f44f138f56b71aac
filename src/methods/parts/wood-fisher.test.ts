import { Matrix, solve } from "ml-matrix";
import { expect, it } from "vitest";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { woodFisher } from "./wood-fisher.ts";

const SIZE = 5;
const stream = randomStream(keyFromSeed(9));
const vectorOf = () => Float64Array.from({ length: SIZE }, () => stream.normal());

it("is the exact inverse where all gradients are alike", () => {
  const [vector, gradient] = [vectorOf(), vectorOf()];
  const [count, taken] = [7, 5];
  const recursion = woodFisher(vector, count);
  // The first one only sets the direction.
  for (let at = 0; at <= taken; at++) recursion.add(gradient);
  const column = Matrix.columnVector(gradient);
  const fisher = column
    .mmul(column.transpose())
    .mul(taken / count)
    .add(Matrix.eye(SIZE));
  const exact = solve(fisher, Matrix.columnVector(vector)).to1DArray();
  for (const [at, value] of exact.entries()) expect(recursion.solution[at]).toBeCloseTo(value, 10);
});

it("follows the published recursion in any case, and leaves its inputs alone", () => {
  const vector = vectorOf();
  const gradients = [vectorOf(), vectorOf(), vectorOf()];
  const before = [vector, ...gradients].map((values) => values.slice());
  const recursion = woodFisher(vector, 3);
  for (const gradient of gradients) recursion.add(gradient);
  // With matrices: k ← (I − o gᵀ/(N + t))·k and o ← N/(N + t)·o.
  let solution = Matrix.columnVector(vector);
  let direction = Matrix.columnVector(gradients[0] as Float64Array);
  for (const gradient of gradients.slice(1)) {
    const column = Matrix.columnVector(gradient);
    const scale = 3 + direction.dot(column);
    const update = Matrix.sub(Matrix.eye(SIZE), direction.mmul(column.transpose()).div(scale));
    solution = update.mmul(solution);
    direction = Matrix.mul(direction, 3 / scale);
  }
  for (const [at, value] of solution.to1DArray().entries()) {
    expect(recursion.solution[at]).toBeCloseTo(value, 10);
  }
  expect([vector, ...gradients]).toEqual(before);
});

it("gives back the vector before any curvature is known", () => {
  const vector = vectorOf();
  const recursion = woodFisher(vector, 4);
  recursion.add(vectorOf());
  expect(recursion.solution).toEqual(vector);
});
