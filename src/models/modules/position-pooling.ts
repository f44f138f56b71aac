import {
  cast,
  div,
  equal,
  maximum,
  mul,
  reduceSum,
  slice,
  squeeze,
  sub,
  unsqueeze,
} from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { PADDING_TOKEN } from "../architecture.ts";

/**
 * The mean of the positions that hold a token, zero where none does.
 *
 * @param x - [batch, positions, width]
 * @param ids - [batch, positions]
 * @returns [batch, width]
 */
export function meanOfTokens(x: Value, ids: Value): Value {
  const holds = unsqueeze(sub(1, cast(equal(ids, PADDING_TOKEN), x.dtype)), [2]); // [batch, positions, 1]
  return div(reduceSum(mul(x, holds), { axes: [1] }), maximum(reduceSum(holds, { axes: [1] }), 1));
}

/** The last position of [batch, positions, width], which is a token where padding comes first: [batch, width]. */
export function lastPosition(x: Value): Value {
  const end = Number(x.shape[1]);
  return squeeze(slice(x, [{ axis: 1, start: end - 1, end }]), [1]);
}
