import { LetheError } from "../../kernel/errors.ts";
import { numberAttribute } from "../../onnx/attributes.ts";
import { concat } from "../../onnx/functions/index.ts";
import type { InferContext, Operator, Value } from "../../onnx/ir.ts";
import { composite } from "./composite.ts";
import { knownSize } from "./known.ts";
import { inputOf } from "./rule.ts";
import {
  type Attended,
  attended,
  mergeHeads,
  type ScoreTerms,
  splitHeads,
  type Window,
} from "./scaled-dot-product.ts";

/** What stands in the fourth output by the number of its mode. */
const SCORE_OUTPUTS = [
  "products",
  "capped",
  "biased",
  "weights",
] as const satisfies readonly (keyof Attended)[];

/**
 * Attention as the standard has it since opset 23, of queries, keys and values as [batch, heads, positions, size] or as
 * [batch, positions, heads·size]. The scores are capped before anything is added to them, as it says since opset 25.
 */
export const attentionOperators: readonly Operator[] = [
  composite(
    "Attention",
    (context) => {
      if (context.inputs[6] !== undefined) {
        throw new LetheError(
          "data",
          "DATA_ATTRIBUTE",
          "Expected Attention without `nonpad_kv_seqlen`, which belongs to a cache kept outside the model. Export the model " +
            "without a cache; say which tokens are padding in `attn_mask`.",
        );
      }
      const setting = (name: string): number => numberAttribute(context.attributes, name, 0);
      const isMerged = inputOf(context, 0).shape.length === 3;
      const part = (index: number, heads: string): Value =>
        isMerged ? splitHeads(inputOf(context, index), setting(heads)) : inputOf(context, index);
      const q = part(0, "q_num_heads");
      const k = withPast(context, 4, part(1, "kv_num_heads"));
      const v = withPast(context, 5, part(2, "kv_num_heads"));
      const steps = attended(q, k, v, termsOf(context));
      const scores = steps[SCORE_OUTPUTS[setting("qk_matmul_output_mode")] ?? "products"];
      return [isMerged ? mergeHeads(steps.y) : steps.y, k, v, scores].slice(0, context.outputCount);
    },
    { since: 23, limits: "Not with `nonpad_kv_seqlen`. A past has to be of known length." },
  ),
];

function termsOf(context: InferContext): ScoreTerms {
  const { attributes, inputs } = context;
  const mask = inputs[3];
  return {
    scale: attributes.scale && numberAttribute(attributes, "scale", 1),
    softcap: numberAttribute(attributes, "softcap", 0),
    ...(mask?.dtype === "bool" ? { allowed: mask } : { bias: mask }),
    window: windowOf(context),
  };
}

function windowOf({ attributes, inputs }: InferContext): Window | undefined {
  const bound = (name: string): number | undefined => {
    const size = numberAttribute(attributes, name, -1);
    return size < 0 ? undefined : size;
  };
  const isCausal = numberAttribute(attributes, "is_causal", 0) !== 0;
  const [left, right] = [bound("left_window_size"), isCausal ? 0 : bound("right_window_size")];
  if (left === undefined && right === undefined) return undefined;
  return { left, right, offset: inputs[4] === undefined ? 0 : knownSize(inputs[4], 2) };
}

function withPast(context: InferContext, index: number, own: Value): Value {
  const past = context.inputs[index];
  return past === undefined ? own : concat([past, own], 2);
}
