import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { parseIdx } from "./idx.ts";
import { idxDataset } from "./idx-dataset.ts";
import { parsePackedIdx } from "./sources/idx.ts";

/** An IDX file of unsigned bytes. */
function idxFile(shape: readonly number[], values: Iterable<number>): Uint8Array {
  const dimensions = shape.flatMap((size) => [
    size >>> 24,
    (size >>> 16) & 255,
    (size >>> 8) & 255,
    size & 255,
  ]);
  return Uint8Array.from([0, 0, 8, shape.length, ...dimensions, ...values]);
}

function part(labels: readonly number[], side = 2) {
  const pixels = Array.from({ length: labels.length * side * side }, (_, at) => at % 256);
  return {
    images: parseIdx(idxFile([labels.length, side, side], pixels), "images"),
    labels: parseIdx(idxFile([labels.length], labels), "labels"),
    imagesFile: "images",
    labelsFile: "labels",
  };
}

const description = { id: "small", title: "Small", licence: "none" };
const dataError = (code: string, text: RegExp) =>
  expect.objectContaining({ kind: "data", code: `LETHE_${code}`, message: expect.stringMatching(text) });

describe("parseIdx", () => {
  it("reads shape and elements of any array it could have been written from", () => {
    const shape = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.nat(255), (dimensions, first) => {
        const size = dimensions.reduce((product, dimension) => product * dimension, 1);
        const values = Uint8Array.from({ length: size }, (_, at) => (first + at) % 256);
        const array = parseIdx(idxFile(dimensions, values), "f");
        expect(array.shape).toEqual(dimensions);
        expect(array.values).toEqual(values);
      }),
    );
  });

  it.each([
    ["an empty file", [], "DATA_EMPTY", /f is empty/],
    ["another magic number", [0x89, 0x50, 8, 1], "DATA_IDX_MAGIC", /89 50 at offset 0 of f/],
    ["another element type", [0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0], "DATA_IDX_TYPE", /0d at offset 2/],
    ["no dimensions", [0, 0, 8, 0], "DATA_IDX_MAGIC", /got 0 at offset 3/],
    ["five dimensions", [0, 0, 8, 5], "DATA_IDX_MAGIC", /got 5 at offset 3/],
    ["a header cut short", [0, 0, 8, 2, 0, 0, 0, 1, 0], "DATA_TRUNCATED", /ends at offset 9/],
    ["a magic number cut short", [0, 0, 8], "DATA_TRUNCATED", /ends at offset 3/],
    ["an empty dimension", [0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 0], "DATA_EMPTY", /0 at offset 8/],
    ["elements cut short", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2], "DATA_TRUNCATED", /3 elements.*offset 10 with 2/],
    ["elements too many", [0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "DATA_SIZE", /offset 9.*1 bytes more/],
    ["a size beyond any file", [0, 0, 8, 4, ...new Array(16).fill(255)], "DATA_TRUNCATED", /with 0/],
  ] as const)("refuses %s, naming the place", (_, bytes, code, text) => {
    expect(() => parseIdx(Uint8Array.from(bytes), "f")).toThrow(dataError(code, text));
  });
});

describe("parsePackedIdx", () => {
  it("reads packed and plain files alike", async () => {
    const file = idxFile([3, 2], [1, 2, 3, 4, 5, 6]);
    expect(await parsePackedIdx(gzipSync(file), "f")).toEqual(await parsePackedIdx(file, "f"));
  });

  it("unpacks no more than the header declares", async () => {
    const bomb = gzipSync(Buffer.concat([idxFile([4], []), Buffer.alloc(50_000_000)]));
    await expect(parsePackedIdx(bomb, "f")).rejects.toThrow(dataError("DATA_GZIP", /at most 12 bytes/));
  });

  it("unpacks no more than a multiple of the packed size, whatever the header declares", async () => {
    const bomb = gzipSync(Buffer.concat([idxFile([0x7fffffff], []), Buffer.alloc(50_000_000)]));
    await expect(parsePackedIdx(bomb, "f")).rejects.toThrow(dataError("DATA_GZIP", /at most 16777216 bytes/));
  });

  it("refuses damaged gzip data", async () => {
    const packed = gzipSync(idxFile([300], new Array(300).keys()));
    await expect(parsePackedIdx(packed.subarray(0, 40), "f")).rejects.toThrow(
      dataError("DATA_GZIP", /cannot be unpacked/),
    );
    packed[12] = 255;
    await expect(parsePackedIdx(packed, "f")).rejects.toThrow(dataError("DATA_GZIP", /cannot be unpacked/));
  });

  it("never fails otherwise than with an error about the data", async () => {
    const header = fc.constantFrom([0, 0, 8, 1], [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2]);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc
        .tuple(header, fc.uint8Array({ maxLength: 64 }))
        .map(([head, tail]) => Uint8Array.from([...head, ...tail])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.boolean(), fc.nat(), async (plain, packed, damage) => {
        const file = packed ? gzipSync(plain) : plain;
        if (file.length > 0 && damage % 3 === 0) file[damage % file.length] = damage & 255;
        try {
          const { shape, values } = await parsePackedIdx(file, "f");
          expect(shape.reduce((product, dimension) => product * dimension, 1)).toBe(values.length);
        } catch (error) {
          if (!isLetheError(error, "data")) throw error;
        }
      }),
      { numRuns: 1_500 },
    );
  });
});

describe("idxDataset", () => {
  it("joins images and labels, pixels in [0, 1]", () => {
    const { train, test, classNames, featureShape } = idxDataset({
      ...description,
      train: part([0, 2, 1]),
      test: part([1, 1]),
    });
    expect(featureShape).toEqual([1, 2, 2]);
    expect(classNames).toEqual(["0", "1", "2"]);
    const out = new Float32Array(4);
    train.gather([1], out);
    expect([...out]).toEqual([4, 5, 6, 7].map((pixel) => Math.fround(pixel / 255)));
    expect(test.id(1)).toBe("small/test/1");
  });

  it("keeps the channels of images in four dimensions", () => {
    const images = parseIdx(idxFile([2, 3, 1, 2], new Array(12).keys()), "images");
    const colour = { ...part([0, 1]), images };
    expect(idxDataset({ ...description, train: colour, test: colour }).featureShape).toEqual([3, 1, 2]);
  });

  it("refuses parts that do not fit each other, naming the files", () => {
    const good = part([0, 1, 1]);
    const join =
      (train: ReturnType<typeof part>, test = good) =>
      () =>
        idxDataset({ ...description, classNames: ["0", "1"], train, test });
    expect(join({ ...good, images: part([0, 1]).images })).toThrow(
      dataError("DATA_SIZE", /images holds 2 images, labels 3 labels/),
    );
    expect(join({ ...good, labels: good.images })).toThrow(dataError("DATA_SIZE", /exchanged/));
    expect(join({ ...good, images: good.labels })).toThrow(dataError("DATA_SIZE", /at least two dimensions/));
    expect(join(good, part([0, 1], 3))).toThrow(dataError("DATA_SIZE", /test images of shape 1 × 2 × 2/));
    expect(join(part([0, 1, 2]))).toThrow(dataError("DATA_LABEL", /0 … 1, got 2 at offset 10 of labels/));
    expect(() => idxDataset({ ...description, train: part([0, 1]), test: part([2]) })).toThrow(
      dataError("DATA_LABEL", /got 2/),
    );
    expect(() => idxDataset({ ...description, train: part([0, 0]), test: part([0]) })).toThrow(
      dataError("DATA_ONE_CLASS", /got one/),
    );
  });
});
