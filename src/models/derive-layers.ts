import { operators } from "../autodiff/operators/index.ts";
import { LetheError } from "../kernel/errors.ts";
import type { ModelLayout, TensorSlot } from "../kernel/layout.ts";
import { numberAttribute } from "../onnx/attributes.ts";
import { Graph } from "../onnx/graph.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import { batchShape, layoutOfArchitecture, type OpenArchitecture } from "./architecture.ts";
import type { LayerLayout } from "./layers.ts";

/**
 * Finds the layers of an architecture in its graph: which weights are matrices from inputs to outputs, which biases go with
 * them, which tensors belong to one normalisation. Parameters that fit no form, or that several nodes share, come last, as
 * `other`.
 */
export function layersOf(architecture: OpenArchitecture): LayerLayout[] {
  const layout = layoutOfArchitecture(architecture);
  const graph = new Graph(operators);
  const input = graph.input(architecture.inputName, architecture.inputType, batchShape(architecture));
  const slots = new Map<Value, TensorSlot>();
  const values = new Map(
    layout.slots.map((slot) => {
      const value = graph.input(slot.name, "float32", slot.shape);
      slots.set(value, slot);
      return [slot.name, value] as const;
    }),
  );
  architecture.forward(input, (name) => lookup(values, name), "inference");
  for (const value of slots.keys()) if (consumers(value, graph.nodes).length > 1) slots.delete(value);
  const layers = graph.nodes.flatMap((node) => layerOf(node, graph.nodes, slots) ?? []);
  const rest = remaining(layout, layers);
  return rest.length === 0 ? layers : [...layers, { kind: "other", name: "other", slots: rest }];
}

function layerOf(
  node: GraphNode,
  nodes: readonly GraphNode[],
  slots: ReadonlyMap<Value, TensorSlot>,
): LayerLayout | undefined {
  const slotAt = (index: number): TensorSlot | undefined => {
    const input = node.inputs[index];
    return input === undefined ? undefined : slots.get(input);
  };
  const weight = slotAt(1);
  if (weight === undefined) return undefined;
  switch (node.type) {
    case "Gemm": {
      const inputAxis = numberAttribute(node.attributes, "transB", 0) === 0 ? 0 : 1;
      const bias = biasOf(slotAt(2), weight.shape[1 - inputAxis]);
      return { kind: "dense", name: weight.name, weight, bias, inputAxis };
    }
    case "MatMul":
      if (weight.shape.length !== 2) return undefined;
      return {
        kind: "dense",
        name: weight.name,
        weight,
        bias: addedBias(node, weight, nodes, slots),
        inputAxis: 0,
      };
    case "Conv": {
      const group = numberAttribute(node.attributes, "group", 1);
      return { kind: "conv", name: weight.name, weight, bias: slotAt(2), group };
    }
    case "LayerNormalization":
    case "BatchNormalization": {
      const shift = slotAt(2);
      if (shift === undefined) return undefined;
      return {
        kind: "norm",
        name: weight.name,
        scale: weight,
        shift,
        runningMean: slotAt(3),
        runningVariance: slotAt(4),
      };
    }
    default:
      return undefined;
  }
}

/** The vector a matrix product's only consumer adds, when that is what it does. */
function addedBias(
  node: GraphNode,
  weight: TensorSlot,
  nodes: readonly GraphNode[],
  slots: ReadonlyMap<Value, TensorSlot>,
): TensorSlot | undefined {
  const [product] = node.outputs as [Value];
  const [add, ...others] = consumers(product, nodes);
  if (add?.type !== "Add" || others.length > 0) return undefined;
  const other = add.inputs.find((input) => input !== product);
  return biasOf(other === undefined ? undefined : slots.get(other), weight.shape[1]);
}

/** A slot that holds one number per output; one that is broadcast over outputs is no bias in this sense. */
function biasOf(slot: TensorSlot | undefined, outputs: number | undefined): TensorSlot | undefined {
  return slot?.length === outputs && slot?.shape.at(-1) === outputs ? slot : undefined;
}

function consumers(value: Value, nodes: readonly GraphNode[]): readonly GraphNode[] {
  return nodes.filter((node) => node.inputs.includes(value));
}

function remaining(layout: ModelLayout, layers: readonly LayerLayout[]): TensorSlot[] {
  const used = new Set(
    layers.flatMap((layer) => {
      switch (layer.kind) {
        case "dense":
        case "conv":
          return [layer.weight.name, layer.bias?.name];
        case "norm":
          return [layer.scale.name, layer.shift.name];
        case "other":
          return layer.slots.map((slot) => slot.name);
        default:
          return layer satisfies never;
      }
    }),
  );
  return layout.slots.filter((slot) => slot.role === "parameter" && !used.has(slot.name));
}

function lookup(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined)
    throw new LetheError("internal", "INTERNAL_WEIGHT", `Expected a weight \`${name}\`.`);
  return value;
}
