import { join } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import { type DatasetSource, dataDirectoryOf, type LoadOptions } from "../source.ts";
import { hasIdxFiles, loadIdxDirectory } from "./idx.ts";

/** Where Debian's package puts the files. */
const DEBIAN_DIRECTORY = "/usr/share/datasets/fashion-mnist";
const REMEDY =
  "Run `apt-get install dataset-fashion-mnist` (Debian, Ubuntu), or put the four IDX files in `$LETHE_DATA/fashion-mnist`.";

/** Fashion-MNIST from the user's directory or Debian's package. */
export const fashionMnist: DatasetSource = {
  id: "fashion-mnist",
  form: "fashion-mnist",
  title: "Fashion-MNIST: articles of clothing, 28 × 28",
  paper: "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747",
  licence: "MIT (Zalando SE)",
  counts: { train: 60_000, test: 10_000, classes: 10 },
  availability: async (options) =>
    (await findDirectory(options)) ? { available: true } : { available: false, remedy: REMEDY },
  async load(_argument, options) {
    const directory = await findDirectory(options);
    if (directory === undefined) {
      throw new LetheError(
        "data",
        "DATA_MISSING",
        `Expected Fashion-MNIST in ${directories(options).join(" or ")}, found none. ${REMEDY}`,
        { details: { directories: directories(options) } },
      );
    }
    return loadIdxDirectory(directory, {
      id: fashionMnist.id,
      title: fashionMnist.title,
      licence: fashionMnist.licence,
      classNames: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
      ],
    });
  },
};

/** The user's own copy goes first. */
function directories(options: LoadOptions): readonly string[] {
  const own = dataDirectoryOf(options);
  return own === undefined ? [DEBIAN_DIRECTORY] : [join(own, "fashion-mnist"), DEBIAN_DIRECTORY];
}

async function findDirectory(options: LoadOptions): Promise<string | undefined> {
  for (const directory of directories(options)) if (await hasIdxFiles(directory)) return directory;
  return undefined;
}
