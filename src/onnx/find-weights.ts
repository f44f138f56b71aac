import type { PlacedNode } from "./inline-functions.ts";
import type { OperatorTable } from "./ir.ts";
import { operatorKey } from "./operator.ts";
import type { NodeProto } from "./proto/onnx_pb.js";
import { isFloating, type Tensor } from "./tensor.ts";

/** Inputs at which operators take weights. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [1, 2, 3, 4],
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  GRU: [1, 2, 3],
  Gather: [0],
  Gemm: [1, 2],
  GroupNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  LSTM: [1, 2, 3],
  LayerNormalization: [1, 2],
  MatMul: [0, 1],
  PRelu: [1],
  RMSNormalization: [1],
  RNN: [1, 2, 3],
};

/** Operators whose result a bias is added to. */
const PRODUCTS = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/** A place where a node reads a value. */
interface Use {
  readonly node: NodeProto;
  readonly index: number;
}

/**
 * Which of a file's tensors are weights: real numbers with an axis that operators compute with. Not those that only say how
 * (the scales of a Resize), nor masks (they hold infinities), nor single numbers that exporters keep as [1] (a scale, an ε)
 * unless they are a bias.
 *
 * @param placed - the file's nodes, those of functions among them
 * @param tensors - by name; elements are looked at only where the use does not tell
 * @returns names, of `tensors` and of the outputs of Identity nodes. Exporters store equal tensors once, behind Identity nodes;
 *   weights that are really shared come that way too. A tensor of equal elements (zeros, ones) is taken for the first kind:
 *   every copy is a weight of its own, `copies` says of what
 */
export function findWeights(
  placed: readonly PlacedNode[],
  tensors: ReadonlyMap<string, Tensor>,
  operators: OperatorTable,
): { readonly weights: ReadonlySet<string>; readonly copies: ReadonlyMap<string, string> } {
  const uses = new Map<string, Use[]>();
  const makers = new Map<string, NodeProto>();
  for (const { node } of placed) {
    node.input.forEach((name, index) => {
      const known = uses.get(name);
      if (known === undefined) uses.set(name, [{ node, index }]);
      else known.push({ node, index });
    });
    for (const name of node.output) makers.set(name, node);
  }
  const own = new Set(placed.filter(({ isInlined }) => !isInlined).map(({ node }) => node));
  const weights = new Set<string>();
  const copies = new Map<string, string>();
  const usesOf = (name: string): readonly Use[] =>
    (uses.get(name) ?? []).flatMap((use) =>
      use.node.opType === "Identity" && !copies.has(use.node.output[0] ?? "")
        ? usesOf(use.node.output[0] ?? "")
        : [use],
    );
  for (const [name, tensor] of tensors) {
    if (!isFloating(tensor.dtype) || tensor.shape.length === 0) continue;
    for (const { node } of uses.get(name) ?? []) {
      const [copy] = node.output;
      if (node.opType === "Identity" && own.has(node) && copy !== undefined && hasEqualElements(tensor))
        copies.set(copy, name);
    }
    for (const candidate of [
      name,
      ...[...copies].flatMap(([copy, source]) => (source === name ? [copy] : [])),
    ]) {
      if (isWeight(tensor, usesOf(candidate), makers, operators)) weights.add(candidate);
    }
  }
  return { weights, copies };
}

function isWeight(
  tensor: Tensor,
  uses: readonly Use[],
  makers: ReadonlyMap<string, NodeProto>,
  operators: OperatorTable,
): boolean {
  const isSetting = ({ node, index }: Use): boolean =>
    operators.get(operatorKey(node.opType, node.domain))?.constantInputs?.includes(index) ?? false;
  if (uses.every(isSetting)) return false;
  if (uses.some(({ node, index }) => WEIGHT_INPUTS[node.opType]?.includes(index))) return true;
  if (tensor.shape.every((size) => size === 1)) return uses.some((use) => isBias(use, makers));
  return tensor.data.every((element: number | bigint) => Number.isFinite(Number(element)));
}

function isBias({ node, index }: Use, makers: ReadonlyMap<string, NodeProto>): boolean {
  const other = node.input[1 - index];
  return node.opType === "Add" && PRODUCTS.has(makers.get(other ?? "")?.opType ?? "");
}

/** Small tensors only: normalisations and biases at their first values. */
function hasEqualElements({ data, shape }: Tensor): boolean {
  return shape.length === 1 && data.every((element: number | bigint) => element === data[0]);
}
