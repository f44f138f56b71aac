import { imageFederation } from "./federation.ts";
import { languageFederation } from "./language-federation.ts";
import type { Federation } from "./train-federation.ts";

/** A federation of the experiment. */
export interface FederationCase {
  readonly id: string;
  readonly title: string;
  readonly hasEveryCodec?: boolean;
  train(): Promise<Federation>;
}

const attack = { id: "backdoor", settings: { boost: 10 } };
const fashion = { data: "fashion-mnist", attack } as const;
const momentum = { learningRate: 0.03, optimizer: { id: "sgd", momentum: 0.9 } } as const;
const adam = { learningRate: 0.001, optimizer: { id: "adam" } } as const;
/** Test images looked at with the slower networks. */
const FEW_IMAGES = 3_000;

/** Networks × optimizers of the clients; ten clients of 300 images, twenty rounds, Dirichlet .3, unless the title says otherwise. */
export const federations: readonly FederationCase[] = [
  {
    id: "fashion-mlp-sgd",
    title: "MLP 784-64-10, Fashion-MNIST, SGD",
    hasEveryCodec: true,
    train: () => imageFederation(fashion),
  },
  {
    id: "mnist-mlp-sgd",
    title: "MLP 784-64-10, MNIST, SGD",
    train: () => imageFederation({ attack: { id: "backdoor", settings: { boost: 5 } } }),
  },
  {
    id: "fashion-mlp-momentum",
    title: "MLP 784-64-10, Fashion-MNIST, momentum .9",
    train: () => imageFederation({ ...fashion, local: momentum }),
  },
  {
    id: "fashion-mlp-adam",
    title: "MLP 784-64-10, Fashion-MNIST, Adam",
    train: () => imageFederation({ ...fashion, local: adam }),
  },
  {
    id: "fashion-cnn-sgd",
    title: "CNN 8-16, Fashion-MNIST, SGD",
    train: () => imageFederation({ ...fashion, model: "cnn", curveSamples: FEW_IMAGES }),
  },
  {
    id: "fashion-cnn-adam",
    title: "CNN 8-16, Fashion-MNIST, Adam",
    train: () => imageFederation({ ...fashion, model: "cnn", curveSamples: FEW_IMAGES, local: adam }),
  },
  {
    id: "fashion-resnet20-momentum",
    title:
      "ResNet-20 of a quarter of the width with BatchNorm, Fashion-MNIST, momentum .9, 15 rounds of one epoch over 200 images",
    train: () =>
      imageFederation({
        ...fashion,
        model: "resnet20:0.25",
        rounds: 15,
        samplesPerClient: 200,
        curveSamples: FEW_IMAGES,
        local: { ...momentum, epochs: 1, batchSize: 20 },
      }),
  },
  {
    id: "mails-gpt-adam",
    title: "GPT of two blocks of width 48, mails of eight senders, Adam, 20 rounds of one epoch",
    train: () => languageFederation(1),
  },
];
