import { basename } from "node:path";
import { LetheError } from "../../kernel/errors.ts";
import { parseDatasetArgument, testFractionOf } from "../dataset-argument.ts";
import { readBytes } from "../file.ts";
import { parseNpy } from "../npy.ts";
import { type NamedArray, npzDataset } from "../npz-dataset.ts";
import { type DatasetSource, splitKeyOf } from "../source.ts";
import { readZip } from "../zip.ts";

const FORM =
  "npz:FILE?x=x_train&y=y_train&x_test=x_test&y_test=y_test&subject=ARRAY&group=ARRAY&channels=first|last&test=0.2";

/** The user's own arrays. */
export const npz: DatasetSource = {
  id: "npz",
  form: FORM,
  title: "Arrays saved with numpy.savez",
  paper: "numpy.lib.format, NEP 1",
  licence: "the user's own",
  availability: async () => ({ available: true }),
  async load(text, options) {
    const argument = parseDatasetArgument(text, FORM, {
      single: ["x", "y", "x_test", "y_test", "subject", "channels", "test"],
      repeated: ["group"],
    });
    const { path: file, one, all, fault } = argument;
    const channels = one("channels");
    if (channels !== undefined && channels !== "first" && channels !== "last") {
      throw fault(`Expected channels first or last, got \`${channels}\``);
    }
    const arrays = openArrays(await readBytes(file), file);
    const subject = one("subject");
    const train = {
      x: arrays.get(one("x") ?? "x_train"),
      y: arrays.get(one("y") ?? "y_train"),
      ...(subject === undefined ? {} : { subject: arrays.get(subject) }),
      groups: all("group").map(arrays.get),
    };
    const [xTest, yTest] = [one("x_test") ?? "x_test", one("y_test") ?? "y_test"];
    const isDivided = arrays.has(xTest) || arrays.has(yTest) || one("x_test") !== undefined;
    const test = isDivided ? { test: { x: arrays.get(xTest), y: arrays.get(yTest), groups: [] } } : {};
    const name = basename(file);
    return npzDataset(
      { file, train, ...test, ...(channels && { channels }), testFraction: testFractionOf(argument) },
      { id: `npz:${name}`, title: `Arrays of ${name}`, licence: npz.licence },
      splitKeyOf(options),
    );
  },
};

/** @throws LETHE_DATA_COLUMN from `get` for an array the file lacks, LETHE_DATA_ZIP and LETHE_DATA_NPY */
function openArrays(bytes: Uint8Array, file: string) {
  const entries = new Map(readZip(bytes, file).map((entry) => [entry.name.replace(/\.npy$/, ""), entry]));
  return {
    has: (name: string): boolean => entries.has(name),
    get: (name: string): NamedArray => {
      const entry = entries.get(name);
      if (entry) return { name, array: parseNpy(entry.content(), `${name} of ${file}`) };
      throw new LetheError(
        "data",
        "DATA_COLUMN",
        `Expected an array \`${name}\` in ${file}, got ${[...entries.keys()].join(", ") || "none"}.`,
        { details: { file, array: name } },
      );
    },
  };
}
