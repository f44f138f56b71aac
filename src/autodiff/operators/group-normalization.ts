import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { add, expandLike, layerNormalization, mul, reshape, unsqueeze } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { formatShape } from "../../onnx/shape.ts";
import { tensorOfNumbers } from "../../onnx/tensor.ts";
import { composite } from "./composite.ts";
import { knownSize, spatialSizes } from "./known.ts";
import { inputOf } from "./rule.ts";

/**
 * y = γ·(x − mean)/√(variance + ε) + β with the statistics of each sample over the channels of a group and all of space (Wu &
 * He 2018, arXiv:1803.08494); with a group for every channel it is instance normalisation. One layer normalisation over rows,
 * then a scale and a shift.
 */
export const groupNormalizationOperators: readonly Operator[] = [
  composite("InstanceNormalization", (context) => [normalized(context, knownSize(inputOf(context, 0), 1))]),
  composite(
    "GroupNormalization",
    (context) => {
      const groups = numberAttribute(context.attributes, "num_groups", 0);
      const channels = knownSize(inputOf(context, 0), 1);
      if (Number.isSafeInteger(groups) && groups >= 1 && channels % groups === 0) {
        return [normalized(context, groups)];
      }
      throw new LetheError(
        "data",
        "DATA_ATTRIBUTE",
        `Expected num_groups to divide the ${channels} channels, got ${groups}.`,
      );
    },
    { since: 18 },
  ),
];

function normalized(context: InferContext, groups: number): Value {
  const x = inputOf(context, 0);
  const row = spatialSizes(x).reduce((product, size) => product * size, knownSize(x, 1) / groups);
  const rows = reshape(x, [x.shape[0] ?? 1, groups, row]);
  // A scale for every place of a row: with a single one ONNX Runtime takes three times as long.
  const ones = x.graph.constant(tensorOfNumbers(x.dtype, [row], new Array<number>(row).fill(1)), "ones");
  const epsilon = numberAttribute(context.attributes, "epsilon", 1e-5);
  const normal = reshape(layerNormalization(rows, ones, undefined, epsilon), x.shape);
  return add(mul(normal, perChannel(context, 1, groups)), perChannel(context, 2, groups));
}

/** A parameter as [channels, 1, …]. Opset 18 has one for each group, every later one for each channel. */
function perChannel(context: InferContext, index: number, groups: number): Value {
  const x = inputOf(context, 0);
  const parameter = inputOf(context, index);
  const channels = knownSize(x, 1);
  const space = x.shape.slice(2).map(() => 1);
  if (parameter.shape.length === 1 && parameter.shape[0] === channels) {
    return reshape(parameter, [channels, ...space]);
  }
  if (parameter.shape.length === 1 && parameter.shape[0] === groups) {
    const ofGroup = tensorOfNumbers(
      x.dtype,
      [groups, channels / groups],
      new Array<number>(channels).fill(0),
    );
    return reshape(expandLike(unsqueeze(parameter, [1]), x.graph.constant(ofGroup)), [channels, ...space]);
  }
  throw new LetheError(
    "data",
    "DATA_SHAPE",
    `Expected scale and bias of shape [${channels}] or [${groups}], got ${formatShape(parameter.shape)}.`,
  );
}
