import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeImage } from "./decode-image.ts";
import { listImages } from "./image-folder.ts";
import { imageSamples } from "./image-samples.ts";
import { loadDataset, type Samples } from "./index.ts";

let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lethe-images-test-"));
});

afterAll(() => rm(directory, { recursive: true }));

/** An image of one colour. */
function picture(red: number, green: number, blue: number, width = 12, height = 8) {
  return sharp({ create: { width, height, channels: 3, background: { r: red, g: green, b: blue } } });
}

async function write(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(directory, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Five images of each of two classes, by two people. */
async function writeClasses(name: string): Promise<string> {
  for (let at = 0; at < 5; at++) {
    const person = at % 2 ? "bo" : "ann";
    await write(
      `${name}/cat/${person}_${at}.png`,
      await picture(255, 10 * at, 0)
        .png()
        .toBuffer(),
    );
    await write(
      `${name}/dog/${person}_${at}.jpg`,
      await picture(0, 10 * at, 255)
        .jpeg()
        .toBuffer(),
    );
  }
  await write(`${name}/dog/.hidden.png`, "no image");
  await write(`${name}/dog/notes.txt`, "no image");
  return join(directory, name);
}

function rowOf(samples: Samples, position: number): Float32Array {
  const row = new Float32Array(samples.featureLength);
  samples.gather([position], row);
  return row;
}

const imageError = (text: RegExp) =>
  expect.objectContaining({ kind: "data", code: "LETHE_DATA_IMAGE", message: expect.stringMatching(text) });

describe("images", () => {
  it("have the classes of their folders, one shape and planes of colour", async () => {
    const path = await writeClasses("pets");
    const { id, train, test, classNames, featureShape } = await loadDataset(
      `images:${path}?size=4&subject=_`,
    );
    expect([id, classNames, featureShape]).toEqual(["images:pets", ["cat", "dog"], [3, 4, 4]]);
    expect([train.count, test.count]).toEqual([8, 2]);
    for (const part of [train, test]) {
      for (let position = 0; position < part.count; position++) {
        const file = Number(part.id(position).split("/")[1]);
        const row = rowOf(part, position);
        const isCat = file < 5;
        // In the order of their names: ann_0, ann_2, ann_4, bo_1, bo_3.
        const green = (10 * ([0, 2, 4, 1, 3][file % 5] as number)) / 255;
        expect(part.labels[position]).toBe(isCat ? 0 : 1);
        expect(part.subject(position)).toMatch(/^(ann|bo)$/);
        // JPEG rounds colours a little.
        expect(Math.abs((row[0] as number) - (isCat ? 1 : 0))).toBeLessThan(0.02);
        expect(Math.abs((row[16] as number) - green)).toBeLessThan(0.02);
        expect(Math.abs((row[47] as number) - (isCat ? 0 : 1))).toBeLessThan(0.02);
      }
    }
  });

  it("keep the division of folders train and test", async () => {
    await writeClasses("divided/train");
    await writeClasses("divided/test");
    const { train, test, featureShape } = await loadDataset(
      `images:${join(directory, "divided")}?channels=1&size=2`,
    );
    expect([train.count, test.count, featureShape]).toEqual([10, 10, [1, 2, 2]]);
    expect(train.id(7)).toBe("images:divided/train/7");
  });

  it("are the same in memory and on disk", async () => {
    const { train } = await listImages(await writeClasses("large"));
    const shape = { size: 6, channels: 3 } as const;
    const inMemory = await imageSamples(train, "t", { ...shape, maxMemoryBytes: 2 ** 20 });
    const onDisk = await imageSamples(train, "t", { ...shape, maxMemoryBytes: 100 });
    const order = [9, 0, 4, 4, 7];
    const [a, b] = [inMemory, onDisk].map((samples) => {
      const out = new Float32Array(order.length * samples.featureLength);
      samples.gather(order, out);
      return out;
    });
    expect(b).toEqual(a);
    expect(Math.max(...(a as Float32Array))).toBe(1);
  });

  it("name the file that is broken", async () => {
    const path = await writeClasses("broken");
    const whole = await sharp({
      create: {
        width: 64,
        height: 64,
        channels: 3,
        noise: { type: "gaussian", mean: 128, sigma: 40 },
        background: "red",
      },
    })
      .png()
      .toBuffer();
    await write("broken/dog/zoe_9.png", whole.subarray(0, whole.length / 2));
    await expect(loadDataset(`images:${path}`)).rejects.toThrow(imageError(/zoe_9\.png/));
  });

  it.each([
    ["an empty file", new Uint8Array()],
    ["text", Buffer.from("no image")],
    ["a drawing", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ["a header that claims a billion pixels", header("00008000", "00008000")],
    ["a header that claims a row of millions", header("00360009", "00000007")],
  ])("are refused as %s", async (_, bytes) => {
    await expect(decodeImage(bytes, "x.png", { size: 4, channels: 3 })).rejects.toThrow(imageError(/x\.png/));
  });

  it("cut out the middle and turn as the camera was held", async () => {
    const halves = await picture(0, 0, 0, 8, 4)
      .composite([{ input: await picture(255, 255, 255, 4, 4).png().toBuffer(), left: 4, top: 0 }])
      .png()
      .toBuffer();
    const pixels = await decodeImage(halves, "x.png", { size: 4, channels: 1 });
    expect([...pixels.subarray(0, 4)]).toEqual([0, 0, 255, 255]);
    // Orientation 6: the first row is the right side, so the white half is at the bottom.
    const turned = await sharp(halves).jpeg({ quality: 100 }).withMetadata({ orientation: 6 }).toBuffer();
    const upright = await decodeImage(turned, "x.jpg", { size: 4, channels: 1 });
    expect([upright[0], upright[15]].map((value) => (value as number) > 128)).toEqual([false, true]);
  });

  it.each([
    ["?size=0", /size of 1 … 512/],
    ["?size=4.5", /size of 1 … 512/],
    ["?channels=2", /1 or 3 channels/],
    ["?subject=", /names its subject/],
    ["?label=y", /parameters size, channels/],
  ])("refuse the argument %s", async (parameters, message) => {
    await expect(loadDataset(`images:${directory}${parameters}`)).rejects.toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_DATASET", message: expect.stringMatching(message) }),
    );
  });

  it("refuse directories without classes or images", async () => {
    await mkdir(join(directory, "empty/a"), { recursive: true });
    await mkdir(join(directory, "empty/b"), { recursive: true });
    await expect(loadDataset(`images:${join(directory, "empty")}`)).rejects.toThrow(
      /images in .*empty\/a, got none/,
    );
    await expect(loadDataset(`images:${join(directory, "empty/a")}`)).rejects.toThrow(
      /at least two classes, got 0/,
    );
    await expect(loadDataset("images:/nowhere")).rejects.toThrow(/readable directory at \/nowhere/);
  });
});

describe("cifar10", () => {
  const records = (count: number) =>
    Uint8Array.from({ length: count * 3073 }, (_, at) => (at % 3073 === 0 ? (at / 3073) % 10 : at % 256));

  it("is read from its binary batches", async () => {
    for (const batch of [1, 2, 3, 4, 5]) await write(`cifar/data_batch_${batch}.bin`, records(2));
    await write("cifar/test_batch.bin", records(3));
    const { train, test, classNames } = await loadDataset(`cifar10:${join(directory, "cifar")}`);
    expect([train.count, test.count, classNames[9]]).toEqual([10, 3, "truck"]);
    expect([...test.labels]).toEqual([0, 1, 2]);
    expect(rowOf(train, 3)[0]).toBeCloseTo(((3073 + 1) % 256) / 255, 6);
  });

  it.each([
    ["short", records(2).subarray(1), /records of 3073 bytes/],
    ["strange", records(2).fill(11, 3073, 3074), /labels in 0 … 9, got 11 at offset 3073/],
  ])("refuses a %s batch", async (name, bytes, message) => {
    for (const batch of [1, 2, 3, 4, 5]) await write(`cifar-${name}/data_batch_${batch}.bin`, bytes);
    await expect(loadDataset(`cifar10:${join(directory, `cifar-${name}`)}`)).rejects.toThrow(message);
  });
});

/** A PNG of these sizes as far as its header goes. */
function header(width: string, height: string): Uint8Array {
  return Buffer.from(
    `89504e470d0a1a0a0000000d49484452${width}${height}08020000003d3ef6f80000000049454e44ae426082`,
    "hex",
  );
}
