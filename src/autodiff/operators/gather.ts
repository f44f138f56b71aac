import { numberAttribute } from "../../onnx/attributes.ts";
import {
  expandLike,
  matmul,
  oneHot,
  reshape,
  scatterElements,
  unsqueeze,
  zerosLike,
} from "../../onnx/functions/index.ts";
import type { GraphNode, Operator, Value } from "../../onnx/ir.ts";
import { type Dim, normalizeAxis, productOfDims, type Shape } from "../../onnx/shape.ts";
import { inputOf } from "./rule.ts";

/** Up to this many rows a product with one-hot rows beats the scatter. */
const FEW_ROWS = 300;

/** Slices of x by index along an axis: embeddings, minibatches of resident data. */
export const gatherOperators: readonly Operator[] = [
  {
    type: "Gather",
    infer: (context) => {
      const [x, indices] = [inputOf(context, 0), inputOf(context, 1)];
      const axis = axisOf(context, x);
      const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
      return [{ dtype: x.dtype, shape, contents: contentsAt(x, indices) }];
    },
    // ȳ added up in the rows it was read from. Not by ScatterND: see scatter.ts.
    gradient: ({ node, inputs, gradients: [dy] }) => {
      const [x, indices] = inputs as [Value, Value];
      if (dy === undefined) return [];
      const axis = axisOf(node, x);
      const flat = reshape(indices, [-1]); // [reads]
      const lead = x.shape.slice(0, axis);
      const rest = x.shape.slice(axis + 1);
      const rows = x.shape[axis] as Dim;
      const reads = productOfDims(indices.shape);
      const merged = mergedReads(dy, indices, axis, [...lead, reads, ...rest]); // [lead…, reads, rest…]
      if (axis === 0 && typeof rows === "number" && rows <= FEW_ROWS) {
        const picks = oneHot(flat, rows, dy.dtype, 0); // [rows, reads]
        const table = reshape(merged, [reads, productOfDims(rest)]);
        return [reshape(matmul(picks, table), x.shape)];
      }
      const others = merged.shape.flatMap((_, index) => (index === axis ? [] : [index]));
      const positions = expandLike(unsqueeze(flat, others), merged);
      return [scatterElements(zerosLike(x), positions, merged, { axis, reduction: "add" })];
    },
  },
];

/** ȳ with the axes of the indices made one; without arithmetic of sizes where one axis at most is open. */
function mergedReads(dy: Value, indices: Value, axis: number, shape: Shape): Value {
  if (indices.shape.length === 0) return unsqueeze(dy, [axis]);
  return indices.shape.length === 1 ? dy : reshape(dy, shape);
}

/** The sizes picked out of a list of sizes. */
function contentsAt(x: Value, indices: Value): readonly Dim[] | undefined {
  if (x.contents === undefined || indices.contents === undefined || x.shape.length !== 1) return undefined;
  const picked = indices.contents.map((index) => x.contents?.at(Number(index)));
  return picked.every((dim) => dim !== undefined) ? picked : undefined;
}

function axisOf(node: Pick<GraphNode, "attributes">, x: Value): number {
  return normalizeAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
}
