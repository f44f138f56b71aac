import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";

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

/** @throws LETHE_USAGE_MODEL when the width does not divide by the heads, or the heads by those of the keys */
export function requireWholeHeads(
  id: string,
  sizes: { readonly width: number; readonly heads: number; readonly keyHeads?: number },
): void {
  const { width, heads, keyHeads = heads } = sizes;
  if (width % heads === 0 && heads % keyHeads === 0) return;
  throw new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected a width that is a multiple of heads, and heads of keyHeads, in model \`${id}\`, ` +
      `got width ${width}, heads ${heads}, keyHeads ${keyHeads}.`,
  );
}
