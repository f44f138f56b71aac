import { LetheError } from "../../kernel/errors.ts";
import { stringAttribute } from "../../onnx/attributes.ts";
import { matmul, mul, reduceSum, reshape, slice, transpose, unsqueeze } from "../../onnx/functions/index.ts";
import type { Operator, Value } from "../../onnx/ir.ts";
import { type Dim, productOfDims } from "../../onnx/shape.ts";
import { composite } from "./composite.ts";
import { einsumEquation } from "./einsum-equation.ts";
import { knownSize } from "./known.ts";
import { inputOf, requireSameType } from "./rule.ts";

/** A value with a label for every axis; no label twice. */
interface Labelled {
  readonly value: Value;
  readonly labels: readonly string[];
}

/**
 * Einsum as matrix products, two operands at a time from the left: axes both have and nobody wants any more are the inner size
 * of the product, axes both have and somebody wants are its leading axes, the rest its rows and columns.
 */
export const einsumOperators: readonly Operator[] = [
  composite("Einsum", (context) => {
    const values = context.inputs.map((_, index) => inputOf(context, index));
    for (const value of values) requireSameType(values[0] as Value, value);
    const equation = einsumEquation(
      stringAttribute(context.attributes, "equation", ""),
      values.map((value) => value.shape.length),
    );
    const operands = values.map((value, index) => diagonal(value, equation.operands[index] as string[]));
    requireEqualSizes(operands);
    const product = operands.reduce((done, next, index) => {
      const wanted = new Set([
        ...equation.output,
        ...operands.slice(index + 1).flatMap(({ labels }) => labels),
      ]);
      return contract(done, next, wanted);
    });
    const rest = summed(product, (label) => equation.output.includes(label));
    return [ordered(rest, equation.output)];
  }),
];

/** The elements on the diagonal of the axes that share a label: every (n + 1)th of the two axes laid out as one. */
function diagonal(value: Value, labels: readonly string[]): Labelled {
  const second = labels.findIndex((label, axis) => labels.indexOf(label) < axis);
  if (second < 0) return { value, labels };
  const first = labels.indexOf(labels[second] as string);
  const others = labels.map((_, axis) => axis).filter((axis) => axis !== first && axis !== second);
  const [size, size2] = [knownSize(value, first), knownSize(value, second)];
  if (size !== size2) throw unequal(labels[first] as string, size, size2);
  const turned = transpose(value, [...others, first, second]);
  const flat = reshape(turned, [...turned.shape.slice(0, -2), size * size]);
  const picked = slice(flat, [{ axis: others.length, start: 0, end: size * size, step: size + 1 }]);
  return diagonal(
    picked,
    [...others, first].map((axis) => labels[axis] as string),
  );
}

function contract(left: Labelled, right: Labelled, wanted: ReadonlySet<string>): Labelled {
  const a = summed(left, (label) => wanted.has(label) || right.labels.includes(label));
  const b = summed(right, (label) => wanted.has(label) || left.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const [lead, inner] = [
    shared.filter((label) => wanted.has(label)),
    shared.filter((label) => !wanted.has(label)),
  ];
  const rows = a.labels.filter((label) => !shared.includes(label));
  const columns = b.labels.filter((label) => !shared.includes(label));
  const labels = [...lead, ...rows, ...columns];
  const x = ordered(a, [...lead, ...rows, ...inner]);
  const y = ordered(b, [...lead, ...inner, ...columns]);
  if (inner.length === 0) {
    // No sum: a product with broadcasting.
    const places = (count: number, from: number): number[] =>
      Array.from({ length: count }, (_, axis) => from + axis);
    const wide = unsqueeze(x, places(columns.length, lead.length + rows.length));
    return { value: mul(wide, unsqueeze(y, places(rows.length, lead.length))), labels };
  }
  const before = (shape: readonly Dim[]): readonly Dim[] => shape.slice(0, lead.length);
  const rowSizes = x.shape.slice(lead.length, lead.length + rows.length);
  const columnSizes = y.shape.slice(lead.length + inner.length);
  const innerSize = productOfDims(x.shape.slice(lead.length + rows.length));
  const matrices = matmul(
    reshape(x, [...before(x.shape), productOfDims(rowSizes), innerSize]),
    reshape(y, [...before(y.shape), innerSize, productOfDims(columnSizes)]),
  );
  return { value: reshape(matrices, [...before(matrices.shape), ...rowSizes, ...columnSizes]), labels };
}

/** Sums over the axes whose labels are not kept. */
function summed({ value, labels }: Labelled, isKept: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (isKept(label) ? [] : [axis]));
  return { value: reduceSum(value, { axes }), labels: labels.filter(isKept) };
}

/** The value with its axes in the order of `labels`. */
function ordered({ value, labels: own }: Labelled, labels: readonly string[]): Value {
  return transpose(
    value,
    labels.map((label) => own.indexOf(label)),
  );
}

/** Axes of one letter have one size; those of an ellipsis broadcast. */
function requireEqualSizes(operands: readonly Labelled[]): void {
  const sizes = new Map<string, number>();
  for (const { value, labels } of operands) {
    labels.forEach((label, axis) => {
      const size = value.shape[axis];
      if (typeof size !== "number" || label.startsWith(".")) return;
      const known = sizes.get(label) ?? size;
      if (known !== size) throw unequal(label, known, size);
      sizes.set(label, size);
    });
  }
}

function unequal(label: string, a: number, b: number): LetheError {
  return new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected axes of one size under the label \`${label}\` of Einsum, got ${a} and ${b}.`,
  );
}
