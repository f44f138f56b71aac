import { globalAveragePool, globalMaxPool, maxPool, reshape } from "../../onnx/functions/index.ts";
import type { Value } from "../../onnx/ir.ts";
import { type Module, stateless } from "./module.ts";

/** The largest of every window of `side` × `side`, which do not overlap. */
export function maxPooled(side: number): Module {
  return stateless((x) => maxPool(x, [side, side], { strides: [side, side] }));
}

/** The mean over the image: [batch, channels, height, width] → [batch, channels]. */
export const globalMean: Module = stateless((x) => flat(globalAveragePool(x)));

/** The maximum over the image: [batch, channels, height, width] → [batch, channels]. */
export const globalMaximum: Module = stateless((x) => flat(globalMaxPool(x)));

/** All but the first axis merged: [batch, …] → [batch, features]. */
export const flattened: Module = stateless(flat);

function flat(x: Value): Value {
  const [batch, ...rest] = x.shape as readonly [string | number, ...number[]];
  return reshape(x, [batch, rest.reduce((product, size) => product * size, 1)]);
}
