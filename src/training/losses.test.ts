import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gradients } from "../autodiff/gradients.ts";
import { operators } from "../autodiff/operators/index.ts";
import { Graph } from "../onnx/graph.ts";
import type { Value } from "../onnx/ir.ts";
import { compileProgram, type NumericArray } from "../runtime/program.ts";
import { labelSquares } from "./losses/label-squares.ts";
import { crossEntropy, klDivergence, meanSquaredError, softCrossEntropy } from "./losses.ts";

const CLASSES = 4;
const RUNTIME = { threads: 1, spinning: false };

/** The loss of two matrices [batch, CLASSES] and its gradient by the first. */
async function evaluate(
  loss: (a: Value, b: Value) => Value,
  a: readonly number[],
  b: NumericArray,
  labels = false,
): Promise<{ readonly loss: number; readonly gradient: number[] }> {
  const graph = new Graph(operators);
  const first = graph.input("a", "float32", ["batch", CLASSES]);
  const second = labels
    ? graph.input("b", "int64", ["batch"])
    : graph.input("b", "float32", ["batch", CLASSES]);
  const value = loss(first, second);
  const [gradient] = gradients(value, [first]);
  await using program = await compileProgram(
    {
      inputs: [first, second],
      outputs: new Map([
        ["loss", value],
        ["gradient", gradient as Value],
      ]),
    },
    RUNTIME,
  );
  const results = await program.run({ a: Float32Array.from(a), b });
  return {
    loss: (results.loss as Float32Array)[0] as number,
    gradient: [...(results.gradient as Float32Array)],
  };
}

function logSoftmaxRows(values: readonly number[]): number[] {
  return Array.from({ length: values.length / CLASSES }, (_, row) => {
    const line = values.slice(row * CLASSES, (row + 1) * CLASSES);
    const largest = Math.max(...line);
    const sum = Math.log(line.reduce((total, x) => total + Math.exp(x - largest), 0)) + largest;
    return line.map((x) => x - sum);
  }).flat();
}

const rows = 3;
const matrix = (size: number) =>
  fc.array(fc.double({ min: -size, max: size, noNaN: true }).map(Math.fround), {
    minLength: rows * CLASSES,
    maxLength: rows * CLASSES,
  });

describe("cross-entropy", () => {
  it("is the mean of −log softmax at the label, with gradient (softmax − one-hot) / batch", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrix(8),
        fc.array(fc.integer({ min: 0, max: CLASSES - 1 }), { minLength: rows, maxLength: rows }),
        async (logits, labels) => {
          const found = await evaluate(crossEntropy, logits, BigInt64Array.from(labels, BigInt), true);
          const logs = logSoftmaxRows(logits);
          const expected =
            -labels.reduce((sum, label, row) => sum + (logs[row * CLASSES + label] as number), 0) / rows;
          expect(found.loss).toBeCloseTo(expected, 4);
          found.gradient.forEach((value, at) => {
            const hit = labels[Math.floor(at / CLASSES)] === at % CLASSES ? 1 : 0;
            expect(value).toBeCloseTo((Math.exp(logs[at] as number) - hit) / rows, 5);
          });
        },
      ),
      { numRuns: 15 },
    );
  });

  it("stays finite for logits of ten thousand", async () => {
    const logits = [1e4, -1e4, 0, 0, -1e4, 1e4, 5, 1e4, 0, 0, 0, 0];
    const { loss, gradient } = await evaluate(crossEntropy, logits, BigInt64Array.of(1n, 1n, 2n), true);
    expect(loss).toBeCloseTo((2e4 + Math.log(2) + Math.log(4)) / 3, 1);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it("with soft targets weighs every class", async () => {
    const logits = [0.3, -1.2, 2.5, 0.1, 1, 1, 1, 1, -3, 0, 0.5, 2];
    const targets = [0.1, 0.2, 0.3, 0.4, 0.25, 0.25, 0.25, 0.25, 0.7, 0, 0.3, 0];
    const logs = logSoftmaxRows(logits);
    const expected = -targets.reduce((sum, p, at) => sum + p * (logs[at] as number), 0) / rows;
    const { loss } = await evaluate(softCrossEntropy, logits, Float32Array.from(targets));
    expect(loss).toBeCloseTo(expected, 5);
  });
});

it("mean squared error is the mean over samples and classes, with gradient 2(a − b)/(N·K)", async () => {
  await fc.assert(
    fc.asyncProperty(matrix(3), matrix(3), async (a, b) => {
      const { loss, gradient } = await evaluate(meanSquaredError, a, Float32Array.from(b));
      const differences = a.map((x, at) => x - (b[at] as number));
      expect(loss).toBeCloseTo(differences.reduce((sum, d) => sum + d * d, 0) / differences.length, 4);
      gradient.forEach((value, at) => {
        expect(value).toBeCloseTo((2 * (differences[at] as number)) / differences.length, 5);
      });
    }),
    { numRuns: 10 },
  );
});

it("the divergence from a teacher is T²·KL(p ‖ q) at temperature T, zero for equal scores", async () => {
  const teacher = [0.3, -1.2, 2.5, 0.1, 1, 2, 1, 1, -3, 0, 0.5, 2];
  const student = [1.3, 0.2, -0.5, 0.7, 0, 0, 1, 3, -1, 0, -0.5, 1];
  for (const temperature of [1, 2.5]) {
    const p = logSoftmaxRows(teacher.map((x) => x / temperature));
    const q = logSoftmaxRows(student.map((x) => x / temperature));
    const divergence = p.reduce((sum, lp, at) => sum + Math.exp(lp) * (lp - (q[at] as number)), 0);
    const expected = (temperature ** 2 * divergence) / rows;
    const toStudent = (s: Value, t: Value): Value => klDivergence(t, s, temperature);
    expect((await evaluate(toStudent, student, Float32Array.from(teacher))).loss).toBeCloseTo(expected, 4);
    expect((await evaluate(toStudent, teacher, Float32Array.from(teacher))).loss).toBeCloseTo(0, 6);
  }
});

it("squares of labels are the squared error against their one-hot rows, smoothed on request", async () => {
  const [scores, labels] = [[0.5, 0, -1, 2, 0, 1, 0, 0], BigInt64Array.of(3n, 1n)];
  const exact = await evaluate((a, b) => labelSquares(a, b), scores, labels, true);
  expect(exact.loss).toBeCloseTo((0.25 + 0 + 1 + 1) / 8, 6);
  exact.gradient.forEach((slope, at) => {
    expect(slope).toBeCloseTo([0.125, 0, -0.25, 0.25, 0, 0, 0, 0][at] as number, 6);
  });
  const smoothed = await evaluate((a, b) => labelSquares(a, b, 0.4), scores, labels, true);
  const rows = [0.1, 0.1, 0.1, 0.7, 0.1, 0.7, 0.1, 0.1];
  const expected = rows.reduce((sum, row, at) => sum + ((scores[at] as number) - row) ** 2, 0) / 8;
  expect(smoothed.loss).toBeCloseTo(expected, 6);
});
