import { basename, join } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import type { Dataset } from "../dataset.ts";
import { isFile, readBytes, unpack } from "../file.ts";
import { IDX_MAX_HEADER_BYTES, type IdxArray, parseIdx, parseIdxHeader } from "../idx.ts";
import { type IdxPart, idxDataset } from "../idx-dataset.ts";
import type { DatasetSource } from "../source.ts";

/** The user's own images in the file format of MNIST. */
export const idx: DatasetSource = {
  id: "idx",
  form: "idx:DIR",
  title: "Images in IDX files (the format of MNIST), plain or .gz",
  paper: "Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  load: async (directory) =>
    loadIdxDirectory(directory, {
      id: `idx:${basename(directory)}`,
      title: `Images of ${basename(directory)}`,
      licence: "the user's own",
    }),
};

/** What a directory of IDX files does not say about itself; class names default to the numbers in use. */
export type IdxDescription = Pick<Dataset, "id" | "title" | "licence"> & {
  readonly classNames?: readonly string[];
};

/**
 * Reads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same of `t10k` or `test`, each plain or `.gz`;
 * a dot before `idx` is taken as well.
 *
 * @throws LETHE_DATA_MISSING naming what was looked for, and as `parseIdx`, `unpack` and `idxDataset`
 */
export async function loadIdxDirectory(directory: string, description: IdxDescription): Promise<Dataset> {
  const train = await readPart(directory, ["train"]);
  const test = await readPart(directory, ["t10k", "test"]);
  return idxDataset({ ...description, train, test });
}

/** True when the directory holds the training images of {@link loadIdxDirectory}. */
export async function hasIdxFiles(directory: string): Promise<boolean> {
  return (await firstFile(candidates(directory, ["train"], "images-idx3"))) !== undefined;
}

async function readPart(directory: string, names: readonly string[]): Promise<IdxPart> {
  const images = await readIdx(candidates(directory, names, "images-idx3"));
  const labels = await readIdx(candidates(directory, names, "labels-idx1"));
  return {
    images: images.array,
    labels: labels.array,
    imagesFile: images.file,
    labelsFile: labels.file,
  };
}

async function readIdx(
  paths: readonly string[],
): Promise<{ readonly array: IdxArray; readonly file: string }> {
  const file = await firstFile(paths);
  if (file === undefined) {
    throw new LetheError("data", "DATA_MISSING", `Expected one of these files: ${paths.join(", ")}.`, {
      details: { files: paths },
    });
  }
  return { array: await parsePackedIdx(await readBytes(file), file), file };
}

/**
 * {@link parseIdx} of bytes that may be packed; unpacks no more than the header declares.
 *
 * @throws as `parseIdx` and `unpack`
 */
export async function parsePackedIdx(bytes: Uint8Array, file: string): Promise<IdxArray> {
  const declaredBytes = (head: Uint8Array): number => {
    const { shape, headerBytes } = parseIdxHeader(head.subarray(0, IDX_MAX_HEADER_BYTES), file);
    return headerBytes + shape.reduce((product, dimension) => product * dimension, 1);
  };
  return parseIdx(await unpack(bytes, file, declaredBytes), file);
}

/** `images-idx3` → `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, and both packed. */
function candidates(directory: string, parts: readonly string[], kind: string): readonly string[] {
  return parts.flatMap((part) =>
    [kind, kind.replace("-idx", ".idx")].flatMap((spelling) =>
      ["", ".gz"].map((suffix) => join(directory, `${part}-${spelling}-ubyte${suffix}`)),
    ),
  );
}

async function firstFile(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (await isFile(path)) return path;
  return undefined;
}
