import { LetheError } from "../kernel/errors.ts";
import type { Architecture } from "./architecture.ts";
import { cnn } from "./cnn.ts";
import { mlp } from "./mlp.ts";

/** The sizes a ready architecture is made for. */
export interface ModelSizes {
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/** A ready architecture by name. */
interface ReadyModel {
  readonly id: string;
  readonly title: string;
  create(sizes: ModelSizes): Architecture;
}

const SMALL = [
  { channels: 8, kernel: 5, stride: 2, padding: 2 },
  { channels: 16, kernel: 5, stride: 2, padding: 2 },
] as const;

const READY: readonly ReadyModel[] = [
  {
    id: "logistic",
    title: "logistic regression",
    create: ({ inputShape, classes }) => mlp(inputShape, classes, []),
  },
  {
    id: "mlp",
    title: "perceptron with one hidden layer of 64; `mlp:128,64` sets the widths",
    create: ({ inputShape, classes }) => mlp(inputShape, classes, [64]),
  },
  {
    id: "cnn",
    title: "small: two padded 5×5 convolutions of stride 2 (8 and 16 channels), one dense layer",
    create: ({ inputShape, classes }) => cnn(inputShape, classes, { id: "cnn", blocks: SMALL }),
  },
  {
    id: "cnn-bn",
    title: "the small one with batch normalisation",
    create: ({ inputShape, classes }) =>
      cnn(inputShape, classes, { id: "cnn-bn", blocks: SMALL, batchNorm: true }),
  },
  {
    id: "cnn-medium",
    title: "two 3×3 convolutions (32 and 64 channels) with pooling, a hidden layer of 128",
    create: ({ inputShape, classes }) =>
      cnn(inputShape, classes, {
        id: "cnn-medium",
        blocks: [
          { channels: 32, kernel: 3, padding: 1, pool: 2 },
          { channels: 64, kernel: 3, padding: 1, pool: 2 },
        ],
        hidden: 128,
      }),
  },
];

/** The ready architectures, for help texts. */
export function listModels(): readonly { readonly id: string; readonly title: string }[] {
  return READY.map(({ id, title }) => ({ id, title }));
}

/**
 * An architecture by its text: `mlp`, `mlp:128,64`, `cnn`, `cnn-bn`, `cnn-medium`, `logistic`.
 *
 * @throws LETHE_USAGE_MODEL when there is none of that name
 */
export function createModel(spec: string, sizes: ModelSizes): Architecture {
  const ready = READY.find(({ id }) => id === spec);
  if (ready !== undefined) return ready.create(sizes);
  const widths = /^mlp:(\d+(?:,\d+)*)$/.exec(spec)?.[1]?.split(",").map(Number);
  if (widths?.every((width) => width > 0 && width <= MAX_WIDTH))
    return mlp(sizes.inputShape, sizes.classes, widths);
  throw new LetheError(
    "usage",
    "USAGE_MODEL",
    `Expected a model among ${READY.map(({ id }) => id).join(", ")}, mlp:WIDTHS (1 to ${MAX_WIDTH}) or a file ending in .onnx, got \`${spec}\`.`,
  );
}

/** Wider layers than this are a typing error, not a model. */
const MAX_WIDTH = 65_536;
