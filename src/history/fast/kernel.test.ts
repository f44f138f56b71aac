import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../../kernel/errors.ts";
import { fillRandomWords, keyFromSeed, randomStream } from "../../kernel/key.ts";
import { layoutOf } from "../../kernel/layout.ts";
import { adaptive } from "../coding/adaptive.ts";
import { type Guide, parityGuide, plainGuide } from "../coding/guide.ts";
import type { Plane } from "../coding/plane.ts";
import { measure } from "../measure.ts";
import type { Quantiser } from "../quantisers/contract.ts";
import { type QuantiserId, quantisers } from "../quantisers/index.ts";
import { ungerboeckTrellis } from "../quantisers/trellis.ts";
import { decodeUpdate, encodeUpdate } from "../update-codec.ts";
import { createWorkspace } from "../workspace.ts";
import { fastKernel, type Kernel } from "./kernel.ts";

const kernel = fastKernel() as Kernel;
const identity = { round: 3, client: "a" };
const withSymbols = (Object.entries<Quantiser>(quantisers) as [QuantiserId, Quantiser][]).filter(
  ([, { hasSymbols }]) => hasSymbols,
);

/** Numbers of all sizes, zeros, and those at the ends of single precision. */
const hostile = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  fc.constantFrom(0, -0, 1e-45, -1e-40, 1e-30, 1e9, -1e9, 2 ** 96, -(2 ** 96), 0.5, -0.5),
);
const bits = fc.oneof(fc.double({ min: 0.05, max: 20, noNaN: true }), fc.constantFrom(0.25, 1, 2, 4));

it("is there: this machine has SIMD in WebAssembly", () => {
  expect(kernel).toBeDefined();
  expect(createWorkspace().kernel).toBe(kernel);
  expect(createWorkspace(null).kernel).toBeUndefined();
});

describe.each(withSymbols)("a record of %s", (quantiser) => {
  it("has the bytes of the plain TypeScript and decodes to its bits, whatever the numbers", () => {
    const shape = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      columns: fc.integer({ min: 1, max: 40 }),
    });
    fc.assert(
      fc.property(
        fc.array(shape, { minLength: 1, maxLength: 3 }),
        fc.array(hostile, { minLength: 1, maxLength: 60 }),
        bits,
        (shapes, numbers, bitsPerParameter) => {
          const layout = layoutOf(
            shapes.map(({ rows, columns }, at) => ({
              name: `t${at}`,
              shape: [rows, columns],
              role: "parameter" as const,
            })),
          );
          const update = Float32Array.from(
            { length: layout.length },
            (_, at) => numbers[(at * 7) % numbers.length] as number,
          );
          expectEqualPaths(update, layout, quantiser, { bitsPerParameter });
        },
      ),
      { numRuns: 25 },
    );
  });

  it("is the same over many rows and more than one chunk of each loop", () => {
    const layout = layoutOf([{ name: "w", shape: [173, 121], role: "parameter" }]);
    const stream = randomStream(keyFromSeed(4));
    const update = Float32Array.from(
      { length: layout.length },
      (_, at) => stream.normal() * (1 + ((at * 31) % 17) ** 2),
    );
    for (const bitsPerParameter of [0.3, 1.3, 3, 9]) {
      expectEqualPaths(update, layout, quantiser, { bitsPerParameter });
    }
  });
});

describe("the coder in the kernel", () => {
  const guides: readonly Guide[] = [
    plainGuide,
    parityGuide,
    ungerboeckTrellis(0o13, 0o4).guide,
    ungerboeckTrellis(0o103, 0o24).guide,
  ];
  const size = fc.oneof(fc.nat(3), fc.nat(40), fc.nat(5000), fc.nat(2 ** 25 - 1));
  const planesArbitrary = fc.array(fc.record({ rows: fc.nat(12), columns: fc.nat(12) }), { maxLength: 4 });

  it("writes and reads any symbols as the plain one does, and reads any bytes as it does", () => {
    fc.assert(
      fc.property(
        planesArbitrary,
        fc.array(size, { minLength: 1, maxLength: 50 }),
        fc.constantFrom(...guides),
        fc.uint8Array({ maxLength: 400 }),
        fc.nat(),
        (planes, sizes, guide, noise, seed) => {
          const count = planes.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
          const symbols = Int32Array.from({ length: count }, (_, at) => sizes[at % sizes.length] as number);
          const sides = Uint8Array.from({ length: count }, (_, at) => ((at * 7 + seed) % 64) & 0b110111);
          const plain = coded(symbols, sides, planes, guide, undefined);
          expect(coded(symbols, sides, planes, guide, kernel)).toEqual(plain);
          const changed = plain.slice();
          if (changed.length > 0) changed[seed % changed.length] = seed >>> 8;
          for (const bytes of [plain, plain.subarray(0, seed % (plain.length + 1)), changed, noise]) {
            expect(read(bytes, sides, planes, guide, kernel)).toEqual(
              read(bytes, sides, planes, guide, undefined),
            );
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the dither in the kernel", () => {
  it("is the cipher's stream, at every length", () => {
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 127, 1000, 70_001]) {
      const key = keyFromSeed(length);
      const { words } = lent(length, length);
      const [place = 0] = kernel.scratch(key.byteLength) ?? [];
      kernel.write(place, key);
      kernel.calls.fillWords(place, words.byteOffset, length);
      const expected = new Uint32Array(length);
      fillRandomWords(key, expected);
      expect(words).toEqual(expected);
    }
  });
});

describe("the measure in the kernel", () => {
  it("is the plain one, also of NaN and infinities", () => {
    const any = fc.oneof(hostile, fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -3e38));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 70 }), (list) => {
        const values = Float32Array.from(list);
        expect(measure(values, kernel)).toEqual(measure(values, undefined));
      }),
    );
    const long = Float32Array.from({ length: 20_003 }, (_, at) => (at % 977) - 400);
    expect(measure(long, kernel)).toEqual(measure(long, undefined));
  });
});

it("serves two updates that are coded in turns", () => {
  const frame = (label: number) => ({
    values: Float32Array.from({ length: 500 }, (_, at) => ((at * 37 + label) % 101) / 50 - 1),
    planes: [{ rows: 5, columns: 100 }],
    dither: keyFromSeed(label),
    isDitherShared: true,
    coder: adaptive,
  });
  for (const quantiser of [quantisers.z, quantisers.tcq8, quantisers.e8] as readonly Quantiser[]) {
    const [first, second] = [1, 2].map((label) =>
      quantiser.prepare({ ...frame(label), workspace: createWorkspace() }),
    );
    const inTurns = [0.3, 0.5].flatMap((step) => [first?.(step), second?.(step)]);
    const alone = [0.3, 0.5].flatMap((step) =>
      [1, 2].map((label) => quantiser.prepare({ ...frame(label), workspace: createWorkspace(null) })(step)),
    );
    expect(inTurns).toEqual(alone);
  }
});

it("is not needed: an engine without WebAssembly writes and reads the same", () => {
  const program = `
    import { decodeUpdate, encodeUpdate } from ${JSON.stringify(new URL("../update-codec.ts", import.meta.url).href)};
    import { layoutOf } from ${JSON.stringify(new URL("../../kernel/layout.ts", import.meta.url).href)};
    import { keyFromSeed } from ${JSON.stringify(new URL("../../kernel/key.ts", import.meta.url).href)};
    const layout = layoutOf([{ name: "w", shape: [40, 30], role: "parameter" }]);
    const frame = { layout, key: keyFromSeed(5) };
    const update = Float32Array.from({ length: 1200 }, (_, at) => ((at * 7919) % 201) - 100);
    if (process.argv[1] === "without") delete globalThis.WebAssembly;
    process.stdout.write(typeof WebAssembly + "\\n");
    for (const quantiser of ["z", "e8", "tcq4", "tcq8"]) {
      const identity = { round: 1, client: "a" };
      const { record } = encodeUpdate(update, frame, identity, { quantiser, rate: { bitsPerParameter: 2 } });
      const out = new Float32Array(1200);
      decodeUpdate(record, frame, identity, out);
      process.stdout.write(Buffer.from(record).toString("hex") + Buffer.from(out.buffer).toString("hex"));
    }
  `;
  const run = (how: string): readonly string[] =>
    execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "-e", program, how], {
      encoding: "utf8",
    }).split("\n");
  const [here, expected] = run("with");
  const [there, got] = run("without");
  expect([here, there]).toEqual(["object", "undefined"]);
  expect(got).toBe(expected);
});

function expectEqualPaths(
  update: Float32Array,
  layout: ReturnType<typeof layoutOf>,
  quantiser: QuantiserId,
  rate: { readonly bitsPerParameter: number },
): void {
  const frame = { layout, key: keyFromSeed(7) };
  const [fast, plain] = [createWorkspace(), createWorkspace(null)];
  const encode = (workspace: typeof fast): Uint8Array | string => {
    try {
      return encodeUpdate(update, frame, identity, { quantiser, rate }, workspace).record;
    } catch (error) {
      // More digits were asked for than there are.
      if (isLetheError(error, "numeric")) return error.code;
      throw error;
    }
  };
  const record = encode(plain);
  expect(encode(fast)).toEqual(record);
  if (typeof record === "string") return;
  const decoded = [fast, plain].map((workspace) => {
    const out = new Float32Array(layout.length);
    decodeUpdate(record, frame, identity, out, workspace);
    return new Uint32Array(out.buffer);
  });
  expect(decoded[0]).toEqual(decoded[1]);
}

function lent(length: number, words = 0) {
  const arrays = kernel.lend({ length, words, blocks: 0 });
  if (arrays === undefined) throw new Error("expected memory");
  return arrays;
}

/** Symbols and sides, in the kernel's memory or not. */
function placed(symbols: Int32Array, sides: Uint8Array, own: Kernel | undefined) {
  if (own === undefined) return { symbols: symbols.slice(), sides: sides.slice() };
  const arrays = lent(symbols.length);
  arrays.symbols.set(symbols);
  arrays.sides.set(sides);
  return arrays;
}

function coded(
  symbols: Int32Array,
  sides: Uint8Array,
  planes: readonly Plane[],
  guide: Guide,
  own: Kernel | undefined,
): Uint8Array {
  const writer = adaptive.createWriter(1);
  // Twice, so that a sequence also follows another.
  writer.write({ ...placed(symbols, sides, own), planes, guide });
  writer.write({ ...placed(symbols, sides, own), planes, guide });
  return writer.finish().slice();
}

/** All symbols and whether the bytes ended there, or where it was given up. */
function read(
  bytes: Uint8Array,
  sides: Uint8Array,
  planes: readonly Plane[],
  guide: Guide,
  own: Kernel | undefined,
) {
  const reader = adaptive.createReader(bytes);
  const results: unknown[] = [];
  try {
    for (let time = 0; time < 2; time++) {
      const sequence = { ...placed(new Int32Array(sides.length), sides, own), planes, guide };
      reader.read(sequence);
      results.push(sequence.symbols.slice());
    }
    results.push(reader.isAtEnd());
  } catch (error) {
    if (!isLetheError(error, "integrity")) throw error;
    results.push(error.details);
  }
  return results;
}
