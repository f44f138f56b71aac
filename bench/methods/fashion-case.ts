import { cnn } from "../../src/models/cnn.ts";
import type { ExperimentCase } from "./experiment.ts";
import { type ImageCase, imageCase } from "./image-case.ts";

/** What several experiments are measured on, so that they share the trained models. */
export const FASHION = {
  dataset: "fashion-mnist",
  training: 5000,
  validation: 1000,
  holdout: 1000,
  recipe: { epochs: 15, learningRate: 0.02, schedule: { id: "cosine" } },
  architecture: "three 3×3 convolutions of stride 2 (16, 32, 64) with batch normalisation, 128 hidden units",
} as const;

/** A request on Fashion-MNIST, 5,000 images of it, and a small convolutional network. */
export function fashionCase(
  request: Pick<ImageCase, "id" | "seed" | "forget"> & Partial<ImageCase>,
): Promise<ExperimentCase> {
  return imageCase({
    ...FASHION,
    architecture: ({ inputShape, classes }) =>
      cnn(inputShape, classes, {
        id: "fashion-cnn",
        blocks: [16, 32, 64].map((channels) => ({ channels, kernel: 3, stride: 2, padding: 1 })),
        hidden: 128,
        batchNorm: true,
      }),
    ...request,
  });
}
