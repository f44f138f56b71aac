import type { Value } from "../../onnx/ir.ts";
import type { ObjectiveContext } from "../objective-context.ts";

/** Each sample's loss from its logits: [batch, classes] and labels [batch] give [batch]. */
export type SampleLoss = (logits: Value, labels: Value) => Value;

/** The name of the only batch of these programs. */
export const DATA = "data";

/** The class scores of {@link DATA} with the statistics held, so that samples do not act on each other. */
export function dataLogits(context: ObjectiveContext): Value {
  return context.forward(context.features(DATA), { mode: "inference" }).logits;
}
