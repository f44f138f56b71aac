import { add, gather } from "../../onnx/functions/index.ts";
import { normal } from "../initializers.ts";
import type { Module } from "./module.ts";

/** Token ids [batch, positions] → vectors [batch, positions, width], rows of `NAME.weight` [vocabulary, width]. */
export function tokenEmbedding(
  name: string,
  options: { readonly vocabulary: number; readonly width: number; readonly std: number },
): Module {
  const { vocabulary, width, std } = options;
  return {
    weights: [normal(`${name}.weight`, [vocabulary, width], std)],
    apply: (ids, { weightOf }) => gather(weightOf(`${name}.weight`), ids),
  };
}

/** Adds a learned vector to every position: `NAME.weight` [positions, width]. */
export function positionEmbedding(
  name: string,
  options: { readonly positions: number; readonly width: number; readonly std: number },
): Module {
  const { positions, width, std } = options;
  return {
    weights: [normal(`${name}.weight`, [positions, width], std)],
    apply: (x, { weightOf }) => add(x, weightOf(`${name}.weight`)),
  };
}
