import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { sizeOf } from "../../kernel/layout.ts";
import type { Architecture } from "../../models/architecture.ts";
import { createModel, type ModelSizes } from "../../models/index.ts";

/** Data a model is measured on: digits, colour pictures, or text of which every position or the whole has a class. */
const DIGITS: ModelSizes = { inputShape: [1, 28, 28], classes: 10 };
const PICTURES: ModelSizes = { inputShape: [3, 32, 32], classes: 10 };
const CHARACTERS: ModelSizes = { inputShape: [64], classes: 96, vocabulary: 96 };
const TEXTS: ModelSizes = { inputShape: [64], classes: 4, vocabulary: 1000 };

/** What differs from {@link DIGITS}, by the word before the colon. */
const SIZES: Readonly<Record<string, ModelSizes>> = {
  "all-cnn": PICTURES,
  vgg11: PICTURES,
  vgg16: PICTURES,
  resnet9: PICTURES,
  resnet20: PICTURES,
  resnet18: PICTURES,
  vit: PICTURES,
  "text-mlp": TEXTS,
  lstm: TEXTS,
  gpt: CHARACTERS,
  gpt2: CHARACTERS,
};

/** A batch as a trainer takes it. */
export interface SampleBatch {
  /** [batch, …inputShape], uniform; token ids are never padding. */
  readonly features: Float32Array;
  /** [batch, …labelShape] */
  readonly labels: BigInt64Array;
}

/** A ready model at the size it is measured in. */
export function benchModel(text: string): Architecture {
  return createModel(text, SIZES[text.split(":", 1)[0] as string] ?? DIGITS);
}

/** A random batch, the same at every call. */
export function sampleBatch(architecture: Architecture, batchSize: number): SampleBatch {
  const stream = randomStream(keyFromSeed(1));
  const { inputShape, inputType, labelShape, classes, weights } = architecture;
  const [vocabulary = 1] = weights[0]?.shape ?? [];
  const draw = inputType === "float32" ? stream.uniform : () => 1 + stream.below(vocabulary - 1);
  return {
    features: Float32Array.from({ length: batchSize * sizeOf(inputShape) }, draw),
    labels: BigInt64Array.from({ length: batchSize * sizeOf(labelShape) }, () =>
      BigInt(stream.below(classes)),
    ),
  };
}
