import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { type DatasetListing, listDatasets, loadDataset, type Samples } from "./index.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-data-"));
});

afterAll(() => rm(directory, { recursive: true }));

/** Writes a file below the directory of the test and returns its path. */
async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(directory, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Four images of 3 × 3 with labels 0, 1, 1, 0 as training part and as test part. */
async function writeImages(name: string, testPart = "t10k", suffix = ""): Promise<string> {
  const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 3, 0, 0, 0, 3, ...new Array(36).keys()]);
  const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 1, 0]);
  const packed = (bytes: Uint8Array) => (suffix === ".gz" ? gzipSync(bytes) : bytes);
  for (const part of ["train", testPart]) {
    await write(join(name, `${part}-images-idx3-ubyte${suffix}`), packed(images));
    await write(join(name, `${part}-labels-idx1-ubyte${suffix}`), packed(labels));
  }
  return join(directory, name);
}

/** Forty digits of one shade each, the label last. */
function digitRows(change = (rows: string[]): unknown => rows): string {
  const rows = Array.from({ length: 40 }, (_, row) => `${new Array(64).fill(row % 17).join()},${row % 10}`);
  change(rows);
  return `${rows.join("\n")}\n`;
}

function meanPixel(samples: Samples): number {
  const row = new Float32Array(samples.featureLength);
  let sum = 0;
  for (let position = 0; position < samples.count; position++) {
    samples.gather([position], row);
    for (const value of row) sum += value;
  }
  return sum / (samples.count * samples.featureLength);
}

const failure = (kind: string, code: string, text: RegExp) =>
  expect.objectContaining({ kind, code: `LETHE_${code}`, message: expect.stringMatching(text) });

describe("loadDataset", () => {
  it("loads MNIST whole, from the package that holds it", async () => {
    const { train, test, featureShape, classNames } = await loadDataset("mnist");
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
    expect(featureShape).toEqual([1, 28, 28]);
    expect(classNames).toHaveLength(10);
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect(train.positionsByClass()[0]).toHaveLength(5923);
    expect(train.id(17)).toBe("mnist/train/17");
    // The mean every tutorial normalises with.
    expect(meanPixel(train)).toBeCloseTo(0.1307, 4);
  });

  it.each(["fashion-mnist", "digits"])(
    "loads %s where it is at hand, and otherwise says how to get it",
    async (id) => {
      const listing = (await listDatasets()).find((line) => line.id === id) as DatasetListing;
      if (!listing.available) {
        await expect(loadDataset(id)).rejects.toThrow(
          failure("data", "DATA_MISSING", /apt-get install .*\$LETHE_DATA/),
        );
        return;
      }
      const { train, test, classNames } = await loadDataset(id);
      expect({ train: train.count, test: test.count, classes: classNames.length }).toEqual(listing.counts);
    },
  );

  it("prefers the user's own copy of Fashion-MNIST", async () => {
    await writeImages("fashion-mnist", "t10k", ".gz");
    const { train, classNames } = await loadDataset("fashion-mnist", { dataDirectory: directory });
    expect(train.count).toBe(4);
    expect(classNames[9]).toBe("Ankle boot");
  });

  it.each([
    ["t10k", ""],
    ["test", ".gz"],
  ])("loads a directory of IDX files (%s%s)", async (testPart, suffix) => {
    const path = await writeImages(`own-${testPart}`, testPart, suffix);
    const { id, train, test, featureShape, classNames } = await loadDataset(`idx:${path}`);
    expect(id).toBe(`idx:own-${testPart}`);
    expect([train.count, test.count]).toEqual([4, 4]);
    expect(featureShape).toEqual([1, 3, 3]);
    expect(classNames).toEqual(["0", "1"]);
  });

  it("says which files a directory lacks", async () => {
    const path = await writeImages("half", "other");
    await expect(loadDataset(`idx:${path}`)).rejects.toThrow(
      failure("data", "DATA_MISSING", /t10k-images-idx3-ubyte.*test-images-idx3-ubyte\.gz/),
    );
    await expect(loadDataset("idx:/nowhere")).rejects.toThrow(
      failure("data", "DATA_MISSING", /\/nowhere\/train/),
    );
  });

  it("loads the user's digits, packed or plain, in a split that only the split key changes", async () => {
    const dataDirectory = join(directory, "digits-data");
    await write("digits-data/digits.csv", digitRows());
    const plain = await loadDataset("digits", { dataDirectory });
    await write("digits-data/digits.csv.gz", gzipSync(digitRows()));
    const packed = await loadDataset("digits", { dataDirectory });
    const other = await loadDataset("digits", { dataDirectory, splitKey: keyFromSeed(1) });

    const idsOf = (samples: Samples) => Array.from(samples.labels, (_, position) => samples.id(position));
    expect([plain.train.count, plain.test.count]).toEqual([30, 10]);
    expect(idsOf(packed.test)).toEqual(idsOf(plain.test));
    expect(idsOf(other.test)).not.toEqual(idsOf(plain.test));
    const row = new Float32Array(64);
    plain.train.gather([3], row);
    expect(row[63]).toBe((Number(plain.train.id(3).split("/")[1]) % 17) / 16);
  });

  it.each([
    [
      "a pixel too bright",
      (rows: string[]) => rows.splice(4, 1, `${new Array(64).fill(17).join()},1`),
      "DATA_RANGE",
      /pixel in 0 … 16 in column 1, on line 5/,
    ],
    [
      "a pixel that is no number",
      (rows: string[]) => rows.splice(4, 1, `${new Array(64).fill("").join()},1`),
      "DATA_RANGE",
      /line 5/,
    ],
    [
      "a label out of range",
      (rows: string[]) => rows.splice(4, 1, `${new Array(64).fill(1).join()},10`),
      "DATA_LABEL",
      /label in 0 … 9 in column 65, on line 5/,
    ],
    [
      "other columns",
      (rows: string[]) => rows.splice(0, 40, "1,2", "1,3"),
      "DATA_SIZE",
      /64 pixels and a label, got 2/,
    ],
    ["one digit only", (rows: string[]) => rows.splice(1), "DATA_ONE_CLASS", /two different labels/],
  ])("refuses digits with %s", async (name, change, code, text) => {
    await write(`${name}/digits.csv`, digitRows(change));
    await expect(loadDataset("digits", { dataDirectory: join(directory, name) })).rejects.toThrow(
      failure("data", code, text),
    );
  });

  it("loads a table", async () => {
    const file = await write("people.csv", `x,y,who\n${"1,no,ann\n2,yes,bo\n".repeat(10)}`);
    const { id, train, test, classNames } = await loadDataset(`csv:${file}?label=y&subject=who`);
    expect(id).toBe("csv:people.csv");
    expect(classNames).toEqual(["no", "yes"]);
    expect([train.count, test.count]).toEqual([16, 4]);
    expect(train.subject(0)).toBe("ann");
  });

  it("refuses a packed table that unpacks out of proportion", async () => {
    const file = await write("bomb.csv", gzipSync(Buffer.alloc(40_000_000, "1,1\n")));
    await expect(loadDataset(`csv:${file}?label=y`)).rejects.toThrow(
      failure("data", "DATA_GZIP", /16777216/),
    );
  });

  it("refuses what is not a file", async () => {
    await expect(loadDataset(`csv:${directory}?label=y`)).rejects.toThrow(
      failure("data", "DATA_MISSING", /something that is not a file/),
    );
    await expect(loadDataset("csv:/dev/zero?label=y")).rejects.toThrow(
      failure("data", "DATA_MISSING", /\/dev\/zero/),
    );
    await expect(loadDataset("csv:/nowhere.csv?label=y")).rejects.toThrow(
      failure("data", "DATA_MISSING", /found nothing/),
    );
  });

  it.each(["", "svhn", "mnist:", "mnist:x", "idx", "idx:", "csv", "MNIST"])(
    "refuses the name %j as a usage error",
    async (name) => {
      await expect(loadDataset(name)).rejects.toThrow(
        failure("usage", "USAGE_DATASET", /Expected a dataset such as/),
      );
    },
  );
});

describe("listDatasets", () => {
  it("tells of every source its form, licence, counts and whether it is at hand", async () => {
    const list = await listDatasets({ dataDirectory: directory });
    expect(list.map((line) => line.id)).toEqual(
      "mnist fashion-mnist digits flights mails idx images cifar10 npz csv json parquet text".split(" "),
    );
    for (const line of list) {
      expect(line.form.startsWith(line.id)).toBe(true);
      expect(line.licence).not.toBe("");
      expect(line.available || line.remedy.length > 0).toBe(true);
    }
    expect(list[0]).toMatchObject({ counts: { train: 60_000, test: 10_000, classes: 10 }, available: true });
  });
});
