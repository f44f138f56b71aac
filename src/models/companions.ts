import { LetheError } from "../kernel/errors.ts";
import { cast, equal, mul, sub } from "../onnx/functions/index.ts";
import type { Value } from "../onnx/ir.ts";
import { formatShape } from "../onnx/shape.ts";
import { tensorOfNumbers } from "../onnx/tensor.ts";
import { type Companion, PADDING_TOKEN } from "./architecture.ts";

/**
 * A model's further input where nobody gives it, by the names everybody uses: a mask of the tokens that are no padding, segments
 * (all the first), positions (0, 1, …).
 *
 * @param tokens - ids [batch, positions]
 * @throws LETHE_DATA_MODEL_INPUT when it does not follow from the tokens
 */
export function derivedCompanion({ name, dtype, shape }: Companion, tokens: Value): Value {
  const { graph } = tokens;
  const positions = tokens.shape[1];
  if (shape.length === tokens.shape.length && tokens.dtype !== "float32") {
    const isPadding = cast(equal(tokens, PADDING_TOKEN), dtype);
    if (/mask/i.test(name)) return sub(1, isPadding);
    const zeros = mul(isPadding, 0);
    if (/type|segment/i.test(name)) return zeros;
    if (/position/i.test(name) && typeof positions === "number") {
      const count = Array.from({ length: positions }, (_, position) => position);
      return graph.apply("Add", [zeros, graph.constant(tensorOfNumbers(dtype, [1, positions], count))]);
    }
  }
  throw new LetheError(
    "data",
    "DATA_MODEL_INPUT",
    `Expected a model whose inputs follow from its first, got \`${name}\` ${formatShape(shape)} beside \`${tokens.name}\`. ` +
      "Use `lethe differentiate`, whose graph takes every input, or export the model with that one fixed.",
    { details: { input: name } },
  );
}
