import { describe, it } from "vitest";
import type { Attributes } from "../../src/onnx/attributes.ts";
import { mul, reduceSum, sin } from "../../src/onnx/functions/index.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import type { Value } from "../../src/onnx/ir.ts";
import { upgradeNode } from "../../src/onnx/upgrade.ts";
import { checkGolden, type GoldenCase, readGolden } from "./check-golden.ts";

/** A case of generate-operators.py: a node on the inputs, then on the constants but the weight. */
interface OperatorCase extends GoldenCase {
  readonly type: string;
  readonly domain: string;
  readonly attributes: Attributes;
}

/** Before this opset reductions name their axes in an attribute, as the cases do. */
const AXES_IN_ATTRIBUTE = 17;

describe("single operators have PyTorch's values, gradients and Hessian-vector products", () => {
  const cases = readGolden<OperatorCase>("operators.json");
  it.each(cases.map((entry) => [entry.name, entry] as const))("%s", async (_name, entry) => {
    await checkGolden(entry, (values) => {
      const { weight, axis } = values as Record<string, Value> & { weight: Value };
      const graph = weight.graph as Graph;
      const inputs = Object.keys(entry.inputs).map((name) => values[name]);
      // An axis has to be known when the graph is built.
      if (axis !== undefined) inputs.push(graph.scalar(Number(entry.constants.axis?.data[0]), "int64"));
      const { type, domain, attributes } = entry;
      const node = upgradeNode(graph, { type, inputs, attributes, outputCount: 1 }, AXES_IN_ATTRIBUTE);
      const y = graph.apply(node.type, node.inputs, node.attributes, domain);
      return { loss: reduceSum(mul(weight, sin(y))) };
    });
  });
});
