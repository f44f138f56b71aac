import { LetheError } from "../kernel/errors.ts";
import type { ModelSizes } from "./ready-model.ts";

/** Sizes of text as token ids. */
export interface TextSizes {
  /** Tokens of a sample, padding included. */
  readonly positions: number;
  /** Ids are smaller than this. */
  readonly vocabulary: number;
}

/**
 * The sizes of token ids [positions] that a model of that name can be made for.
 *
 * @throws LETHE_USAGE_MODEL for samples that are no text
 */
export function textSizes({ inputShape, vocabulary }: ModelSizes, id: string): TextSizes {
  const [positions] = inputShape;
  if (vocabulary !== undefined && positions !== undefined && inputShape.length === 1) {
    return { positions, vocabulary };
  }
  throw new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected text (token ids) for model \`${id}\`, got samples of shape [${inputShape}]. Use data such as text:FILE.`,
  );
}

/** What a language model is from outside: token ids in, a score of every token at every position out. */
export function languageModelFacts(id: string, { inputShape }: ModelSizes, vocabulary: number) {
  return {
    id,
    inputName: "ids",
    inputType: "int64",
    inputShape,
    labelShape: inputShape,
    classes: vocabulary,
  } as const;
}
