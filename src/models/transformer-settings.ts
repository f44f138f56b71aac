import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { normal } from "./initializers.ts";

/** Wider or deeper than this is a typing error, not a model. */
const MAX_WIDTH = 8192;
const MAX_DEPTH = 96;
const MAX_HEADS = 256;

/** The settings `width`, `depth` and `heads`, with their defaults. */
export function attentionSizes(defaults: {
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
}) {
  return {
    width: z.coerce.number().int().min(2).max(MAX_WIDTH).default(defaults.width),
    depth: z.coerce.number().int().min(1).max(MAX_DEPTH).default(defaults.depth),
    heads: z.coerce.number().int().min(1).max(MAX_HEADS).default(defaults.heads),
  } as const;
}

/**
 * Normal starts of a transformer: standard deviation 0.02, in the layers that are added to the residual stream divided by
 * √(2·depth), as many as there are.
 * Source: Radford et al. (2019), section 2.3.
 */
export function transformerNormal(depth: number) {
  const std = 0.02;
  const residualStd = std / Math.sqrt(2 * depth);
  return {
    std,
    initial: (name: string, shape: readonly number[]) => normal(name, shape, std),
    residualInitial: (name: string, shape: readonly number[]) => normal(name, shape, residualStd),
  };
}

/**
 * @throws LETHE_USAGE_MODEL when the width does not divide by the heads, or the heads by those of the keys, or a head's width
 *   by two where it is turned
 */
export function requireWholeHeads(
  id: string,
  sizes: {
    readonly width: number;
    readonly heads: number;
    readonly keyHeads?: number;
    readonly isRotary?: boolean;
  },
): void {
  const { width, heads, keyHeads = heads, isRotary = false } = sizes;
  if (width % (isRotary ? 2 * heads : heads) === 0 && heads % keyHeads === 0) return;
  throw new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected a width that is a multiple of ${isRotary ? "2·heads" : "heads"}, and heads of keyHeads, in model \`${id}\`, ` +
      `got width ${width}, heads ${heads}, keyHeads ${keyHeads}.`,
  );
}
