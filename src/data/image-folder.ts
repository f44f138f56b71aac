import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { LetheError } from "../kernel/errors.ts";

/** Image files and the classes they lie in. */
export interface ImageFolder {
  /** Names of the sub-folders, in alphabetical order. */
  readonly classNames: readonly string[];
  /** Class by class, in alphabetical order within each. */
  readonly files: readonly { readonly path: string; readonly name: string; readonly label: number }[];
}

/** The parts of a divided set, where it is one. */
export interface ImageParts {
  readonly train: ImageFolder;
  readonly test?: ImageFolder;
}

const EXTENSIONS = new Set([".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff"]);

/**
 * Lists the images of a directory that has a sub-folder for each class, or folders `train` and `test` (or `val`) that do. Files of
 * other kinds and hidden ones are passed over.
 *
 * @throws LETHE_DATA_MISSING for what is no directory · LETHE_DATA_ONE_CLASS · LETHE_DATA_EMPTY for a class without images ·
 * LETHE_DATA_LABEL when both parts do not have the same classes
 */
export async function listImages(directory: string): Promise<ImageParts> {
  const names = await foldersIn(directory);
  const testName = ["test", "val"].find((name) => names.includes(name));
  if (!names.includes("train") || testName === undefined) return { train: await folderOf(directory) };
  const train = await folderOf(join(directory, "train"));
  const test = await folderOf(join(directory, testName));
  if (train.classNames.join("\0") !== test.classNames.join("\0")) {
    throw new LetheError(
      "data",
      "DATA_LABEL",
      `Expected the same classes in train and ${testName} of ${directory}, got ${train.classNames.join(", ")} and ${test.classNames.join(", ")}.`,
      { details: { directory } },
    );
  }
  return { train, test };
}

async function folderOf(directory: string): Promise<ImageFolder> {
  const classNames = await foldersIn(directory);
  if (classNames.length < 2) {
    throw new LetheError(
      "data",
      "DATA_ONE_CLASS",
      `Expected a sub-folder of ${directory} for each of at least two classes, got ${classNames.length}.`,
      { details: { directory } },
    );
  }
  const files: ImageFolder["files"][number][] = [];
  for (const [label, className] of classNames.entries()) {
    const folder = join(directory, className);
    const names = await imagesIn(folder);
    files.push(...names.map((name) => ({ path: join(folder, name), name, label })));
  }
  return { classNames, files };
}

async function imagesIn(folder: string): Promise<readonly string[]> {
  const names = (await entriesOf(folder))
    .filter((entry) => entry.isFile() && EXTENSIONS.has(extname(entry.name).toLowerCase()))
    .map(({ name }) => name)
    .filter((name) => !name.startsWith("."))
    .sort();
  if (names.length > 0) return names;
  throw new LetheError("data", "DATA_EMPTY", `Expected images in ${folder}, got none.`, {
    details: { directory: folder },
  });
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = await entriesOf(directory);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort();
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    throw new LetheError("data", "DATA_MISSING", `Expected a readable directory at ${directory}.`, {
      details: { directory },
      cause,
    });
  }
}
