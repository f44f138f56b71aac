import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { loadDataset } from "./index.ts";
import { parseNpy } from "./npy.ts";
import { readZip } from "./zip.ts";

const folder = join(import.meta.dirname, "../../test/fixtures/arrays");
const types = readFileSync(join(folder, "types.npz"));
const entries = new Map(readZip(types, "types.npz").map((entry) => [entry.name, entry]));
const array = (name: string) => parseNpy(entries.get(`${name}.npy`)?.content() ?? new Uint8Array(), name);

const dataError = (code: string, text: RegExp) =>
  expect.objectContaining({ kind: "data", code: `LETHE_${code}`, message: expect.stringMatching(text) });

describe("parseNpy", () => {
  it.each(["i1", "little_i2", "big_i2", "little_u2", "little_i4", "big_u4", "little_i8", "little_u8"])(
    "reads whole numbers of type %s",
    (name) => {
      expect(array(name)).toEqual({ shape: [2, 3], values: Float64Array.of(0, 1, 2, 3, 100, 120) });
    },
  );

  it.each(["little_f2", "little_f4", "big_f8", "little_f8"])("reads numbers of type %s", (name) => {
    expect(array(name).values).toEqual(Float64Array.of(0, 1, 2, 3, 100, 120));
  });

  it("keeps bytes as bytes, and reads truth values and negative numbers", () => {
    expect(array("u1").values).toEqual(Uint8Array.of(0, 1, 2, 3, 100, 120));
    expect(array("b1").values).toEqual(Float64Array.of(0, 1, 1, 1, 1, 1));
    expect(array("negative").values[5]).toBe(-120);
  });

  it.each([
    ["fortran", /ascontiguousarray/],
    ["words", /type `U1`|of objects/],
    ["scalar", /1 to 4 dimensions/],
    ["empty", /dimensions of at least 1/],
  ])("refuses %s", (name, message) => {
    expect(() => array(name)).toThrow(dataError("DATA_NPY", message));
  });

  it("refuses a file cut anywhere", () => {
    const bytes = entries.get("u1.npy")?.content() ?? new Uint8Array();
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseNpy(bytes.subarray(0, length), "u1")).toThrow(dataError("DATA_NPY", /u1/));
    }
  });
});

describe("readZip", () => {
  it("refuses an archive cut anywhere, or with content that does not fit its checksum", () => {
    for (let length = 0; length < types.length; length += 7) {
      expect(() => readZip(types.subarray(0, length), "t.npz")).toThrow(dataError("DATA_ZIP", /t.npz/));
    }
    const changed = Uint8Array.from(readFileSync(join(folder, "table.npz")));
    // The last byte before the directory belongs to the last array.
    const directory = new DataView(changed.buffer).getUint32(changed.length - 6, true);
    changed[directory - 1] = (changed[directory - 1] as number) ^ 1;
    expect(() => readZip(changed, "t.npz").map((entry) => entry.content())).toThrow(
      dataError("DATA_ZIP", /checksum/),
    );
  });

  it("unpacks nothing out of proportion", () => {
    const bomb = Uint8Array.from(types);
    const view = new DataView(bomb.buffer);
    const directory = view.getUint32(bomb.length - 6, true);
    view.setUint32(directory + 24, 2 ** 31, true);
    expect(() => readZip(bomb, "t.npz")[0]?.content()).toThrow(dataError("DATA_ZIP", /100 times/));
  });

  it("never fails otherwise than with an error about the data", () => {
    const stream = randomStream(keyFromSeed("npz"));
    for (let run = 0; run < 500; run++) {
      const bytes = Uint8Array.from(types);
      for (let change = 0; change < 3; change++) bytes[stream.below(bytes.length)] = stream.below(256);
      try {
        for (const entry of readZip(bytes, "t.npz")) parseNpy(entry.content(), entry.name);
      } catch (error) {
        if (!isLetheError(error, "data")) throw error;
      }
    }
  });
});

describe("npz", () => {
  it("loads images with channels last as planes, divided as the file is", async () => {
    const { train, test, featureShape, classNames } = await loadDataset(
      `npz:${join(folder, "images.npz")}?subject=person`,
    );
    expect([train.count, test.count, featureShape]).toEqual([8, 2, [3, 4, 2]]);
    expect(classNames).toEqual(["0", "1", "2"]);
    expect([...train.labels]).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
    const row = new Float32Array(24);
    train.gather([0], row);
    // Pixel p of channel c is byte 3 p + c of the file.
    expect(row[8 + 5]).toBeCloseTo((3 * 5 + 1) / 255, 6);
    expect([train.id(3), test.id(1)]).toEqual(["npz:images.npz/train/3", "npz:images.npz/test/1"]);
    expect([train.subject(5), test.subject(1)]).toEqual(["2", undefined]);
  });

  it("loads a table under other names and divides it", async () => {
    const { train, test, featureShape, classNames } = await loadDataset(
      `npz:${join(folder, "table.npz")}?x=features&y=target&group=site&test=.3`,
    );
    expect([train.count, test.count, featureShape]).toEqual([5, 3, [3]]);
    expect(classNames).toEqual(["0", "5", "10"]);
    expect(train.groups(0)).toEqual({ site: String(train.labels[0]) });
  });

  it.each([
    ["table.npz", /an array `x_train` in .*table.npz, got features, target, site/],
    ["table.npz?x=features&y=features", /8 labels in `features`.*got 8 × 3/],
    ["table.npz?x=target&y=target", /two dimensions in `target`/],
    ["table.npz?x=features&y=target&test=.01", /put one of each class aside/],
    ["images.npz?subject=x_train", /8 entries in `x_train`.*got 192/],
    ["images.npz?y=x_train", /8 labels/],
  ])("refuses %s", async (argument, message) => {
    await expect(loadDataset(`npz:${join(folder, argument)}`)).rejects.toThrow(
      expect.objectContaining({ kind: "data", message: expect.stringMatching(message) }),
    );
  });

  it("refuses what it cannot read in an argument", async () => {
    await expect(loadDataset("npz:a.npz?channels=middle")).rejects.toThrow(/channels first or last/);
  });
});
