import { numberAttribute } from "../onnx/attributes.ts";
import { concat, mul } from "../onnx/functions/index.ts";
import type { GraphNode, Value } from "../onnx/ir.ts";
import type { ModelProto, NodeProto } from "../onnx/proto/onnx_pb.js";

/** Operators with which exporters turn scores into labels and tables of words: nothing to learn from is behind them. */
const LABEL_OPERATORS = new Set(["ArgMax", "ArrayFeatureExtractor", "TopK", "ZipMap"]);
/** Operators that only pass on what those give. */
const PASSING_OPERATORS = new Set(["Cast", "Identity", "Reshape", "Squeeze"]);

/** Where a file's class scores are. */
export interface ScoreOutput {
  /** The file's output they belong to. */
  readonly output: string;
  /** The value that holds them: the output itself, or what its labels are taken of. */
  readonly value: string;
}

/**
 * Finds the class scores among a file's outputs: the first that is a tensor of real numbers, else what labels or tables of
 * probabilities (as scikit-learn's converter writes them) are made of.
 *
 * @param wanted - the output a person named
 * @returns `undefined` when the file has no (such) output
 */
export function findScores(model: ModelProto, wanted?: string): ScoreOutput | undefined {
  const outputs = (model.graph?.output ?? []).filter(({ name }) => wanted === undefined || name === wanted);
  const makers = new Map(
    (model.graph?.node ?? []).flatMap((node) => node.output.map((name) => [name, node] as const)),
  );
  const found = outputs.map(({ name }) => ({ output: name, value: behindLabels(name, makers) }));
  return found.find(({ output, value }) => output === value) ?? found[0];
}

/** What the last operator that makes labels takes, or the value itself when there is none before other work. */
function behindLabels(name: string, makers: ReadonlyMap<string, NodeProto>): string {
  let value = name;
  let at = name;
  for (let node = makers.get(at); node !== undefined; node = makers.get(at)) {
    const isLabels = LABEL_OPERATORS.has(node.opType);
    if (!isLabels && !PASSING_OPERATORS.has(node.opType)) break;
    // The extractor picks names out of a list by the numbers in its second input.
    at = node.input[node.opType === "ArrayFeatureExtractor" ? 1 : 0] ?? "";
    if (isLabels) value = at;
  }
  return value;
}

/**
 * The unnormalised scores z of probabilities: of softmax(z) or log softmax(z) over the classes z; of σ(z), and of [1 − σ(z), σ(z)],
 * the two scores [0, z], whose softmax they are.
 *
 * @param probabilities - [batch, …positions, classes]
 * @returns the value itself when it is none of these
 */
export function scoresBehind(probabilities: Value): { readonly scores: Value; readonly form: string } {
  const { node, shape } = probabilities;
  const last = shape.length - 1;
  const isOverClasses = (axis: number): boolean => axis === -1 || axis === last;
  if (node?.type === "Softmax" || node?.type === "LogSoftmax") {
    if (isOverClasses(numberAttribute(node.attributes, "axis", -1))) {
      return { scores: node.inputs[0] as Value, form: node.type };
    }
  }
  if (node?.type === "Sigmoid" && shape[last] === 1) return { scores: twoScores(node), form: "Sigmoid" };
  if (node?.type === "Concat" && isOverClasses(numberAttribute(node.attributes, "axis", 0))) {
    const [no, yes] = node.inputs;
    const isComplement = no?.node?.type === "Sub" && no.node.inputs[1] === yes;
    if (yes?.node?.type === "Sigmoid" && isComplement && yes.shape.at(-1) === 1 && node.inputs.length === 2) {
      return { scores: twoScores(yes.node), form: "Sigmoid" };
    }
  }
  return { scores: probabilities, form: "" };
}

function twoScores(sigmoid: GraphNode): Value {
  const z = sigmoid.inputs[0] as Value;
  return concat([mul(z, 0), z], z.shape.length - 1);
}
