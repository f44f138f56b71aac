import { join } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import { parseCsvTable } from "../csv-table.ts";
import { digitsDataset } from "../digits.ts";
import { isFile, readBytes, unpack } from "../file.ts";
import { type DatasetSource, dataDirectoryOf, type LoadOptions, splitKeyOf } from "../source.ts";

/** Where Debian's package puts the file. */
const DEBIAN_FILE = "/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz";
const REMEDY =
  "Run `apt-get install python3-sklearn` (Debian, Ubuntu), or put scikit-learn's `digits.csv.gz` (or the plain `digits.csv`) in `$LETHE_DATA`.";
/** The original is 57 kB; a thousand times that is another file. */
const MAX_DIGITS_BYTES = 64 * 2 ** 20;

/** The small digits of scikit-learn, from the user's copy or Debian's package. */
export const digits: DatasetSource = {
  id: "digits",
  form: "digits",
  title: "Digits: handwritten digits, 8 × 8",
  paper: "E. Alpaydin, C. Kaynak, Optical recognition of handwritten digits, UCI repository, 1998",
  licence: "CC BY 4.0 (UCI repository), as distributed by scikit-learn",
  counts: { train: 1438, test: 359, classes: 10 },
  availability: async (options) =>
    (await findFile(options)) ? { available: true } : { available: false, remedy: REMEDY },
  async load(_argument, options) {
    const file = await findFile(options);
    if (file === undefined) {
      const files = candidates(options);
      throw new LetheError(
        "data",
        "DATA_MISSING",
        `Expected the digits in ${files.join(" or ")}, found none. ${REMEDY}`,
        { details: { files } },
      );
    }
    const bytes = await unpack(await readBytes(file, MAX_DIGITS_BYTES), file);
    const table = parseCsvTable(bytes, file, { separator: ",", hasHeader: false });
    const { id, title, licence } = digits;
    return digitsDataset(table, { id, title, licence }, splitKeyOf(options));
  },
};

/** The user's own copy goes first. */
function candidates(options: LoadOptions): readonly string[] {
  const own = dataDirectoryOf(options);
  const ownFiles = own === undefined ? [] : [join(own, "digits.csv.gz"), join(own, "digits.csv")];
  return [...ownFiles, DEBIAN_FILE];
}

async function findFile(options: LoadOptions): Promise<string | undefined> {
  for (const path of candidates(options)) if (await isFile(path)) return path;
  return undefined;
}
