import { brotliCompressSync, constants, zstdCompressSync } from "node:zlib";
import { type QuantiserId, quantisers } from "../../history/quantisers/index.ts";
import { rotationFrom } from "../../history/rotation/rotation.ts";
import {
  type CodecFrame,
  decodeUpdate,
  type EncodeOptions,
  encodeUpdate,
} from "../../history/update-codec.ts";
import { createWorkspace } from "../../history/workspace.ts";
import { throwIfCancelled } from "../../kernel/errors.ts";
import type { Progress } from "../../kernel/events.ts";
import { fillRandomWords, keyFromSeed } from "../../kernel/key.ts";
import { type CodecSource, gaussianSource, historySource, realLikeSource } from "./codec-sources.ts";

/** What to measure. */
export interface CodecBenchOptions {
  readonly seed: number;
  /** Bits per parameter to steer to, where a quantiser has a step. */
  readonly rates?: readonly number[];
  /** Whether the two synthetic sources are measured; they are unless this is false. */
  readonly synthetic?: boolean;
  /** Histories whose updates are measured too; best with the quantiser `none`, which holds them exactly. */
  readonly historyPaths?: readonly string[];
  /** Encodings and decodings that are timed, interleaved over all codecs. */
  readonly repetitions?: number;
  readonly signal?: AbortSignal;
}

/** One codec at one rate on one source. */
export interface CodecBenchRow {
  readonly source: string;
  readonly codec: string;
  readonly targetBits: number | undefined;
  /** Everything in the record counted. */
  readonly bitsPerParameter: number;
  /** 10 log10(‖x̂ − x‖² / ‖x‖²); −Infinity is written as undefined: no loss. */
  readonly decibels: number | undefined;
  /** Distance to R(D) = −6.02 dB a bit; Gaussian values only. */
  readonly decibelsAboveBound: number | undefined;
  /** (mean error)² K / MSE over K dithers: 1 when unbiased, K when the error is always the same. */
  readonly biasRatio: number | undefined;
  /** Correlation of the error with the value. */
  readonly errorCorrelation: number | undefined;
  /** Megabytes of float32 per second on one core, records and checksums included; a pass of the rate's search. */
  readonly encodeMegabytesPerSecond: Spread | undefined;
  readonly decodeMegabytesPerSecond: Spread | undefined;
  /** How often the update was coded to find its step from nothing. */
  readonly searchPasses: number | undefined;
}

/** Median and quartiles. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

const DEFAULT_RATES = [0.25, 0.5, 1, 2, 3, 4] as const;
/** The best unbiased and biased quantisers, which are measured with the transforms too. */
const TRANSFORMED = ["tcq8", "deadzone", "dq8"] as const;
/** Dithers that the bias is averaged over. */
const DITHERS = 20;
/** Decibels that one bit is worth: 20 log10 2. */
const DECIBELS_PER_BIT = 6.0206;
/** A round that no measured update is of. */
const REFERENCE_ROUND = 10_000;

/**
 * Measures the history's codecs: size, distortion, bias and speed, next to general compressors on the same data.
 *
 * @throws LETHE_CANCELLED, and what reading the history throws
 */
export async function* benchCodec(options: CodecBenchOptions): Progress<readonly CodecBenchRow[]> {
  const { seed, rates = DEFAULT_RATES, repetitions = 15, historyPaths = [], signal } = options;
  yield { type: "started", operation: "bench codec", details: { seed, repetitions } };
  const sources = options.synthetic === false ? [] : [gaussianSource(seed), realLikeSource(seed)];
  for (const path of historyPaths) sources.push(await historySource(path));
  const rows: CodecBenchRow[] = [];
  for (const [index, source] of sources.entries()) {
    yield { type: "phase", name: source.name, index, of: sources.length };
    const cases = (Object.keys(quantisers) as QuantiserId[]).flatMap((quantiser) =>
      (quantisers[quantiser].rateControl === "none" ? [undefined] : rates).map((bits) =>
        prepareCase(source, quantiser, bits, seed),
      ),
    );
    if (source.earlier !== undefined) {
      for (const quantiser of TRANSFORMED)
        for (const bits of rates)
          for (const transform of ["rotated", "predicted"] as const)
            cases.push(prepareCase(source, quantiser, bits, seed, transform));
    }
    // Interleaved, so that a busy moment of the machine hits all alike.
    for (let repetition = 0; repetition < repetitions; repetition++) {
      throwIfCancelled(signal);
      for (const one of cases) one.time();
      yield { type: "step", step: repetition + 1, of: repetitions, scalars: { source: source.name } };
    }
    rows.push(...cases.map((one) => one.row()), ...generalCompressors(source, cases, seed));
  }
  return rows;
}

interface Case {
  readonly quantiser: QuantiserId;
  readonly isPlain: boolean;
  readonly targetBits: number | undefined;
  readonly step: number;
  time(): void;
  row(): CodecBenchRow;
}

function prepareCase(
  source: CodecSource,
  quantiser: QuantiserId,
  targetBits: number | undefined,
  seed: number,
  transform?: "rotated" | "predicted",
): Case {
  const { layout, updates, name } = source;
  const frame = { layout, key: keyFromSeed(seed) };
  const rate = { bitsPerParameter: targetBits ?? 32 };
  const first = updates[0] as Float32Array;
  const found = encodeUpdate(first, frame, { round: 0, client: "0" }, { quantiser, rate });
  const encodeMs: number[] = [];
  const decodeMs: number[] = [];
  const out = new Float32Array(layout.length);
  const workspace = createWorkspace();
  const code = (update: Float32Array, round: number) => {
    const identity = { round, client: "0" };
    const lean = transform && referenceOf(source, update, frame, { quantiser, rate }, transform);
    const start = performance.now();
    const options = { quantiser, rate, previous: found, reference: lean?.reference };
    const { record, passes } = encodeUpdate(update, frame, identity, options, workspace);
    const middle = performance.now();
    decodeUpdate(record, frame, identity, out, workspace, () => lean?.record);
    return { record, encodeMs: (middle - start) / passes, decodeMs: performance.now() - middle };
  };
  return {
    quantiser,
    isPlain: transform === undefined,
    targetBits,
    step: found.step,
    time() {
      updates.forEach((update, round) => {
        const times = code(update, round);
        encodeMs.push(times.encodeMs);
        decodeMs.push(times.decodeMs);
      });
    },
    row() {
      const { bytes, squares, energy, correlation, biasRatio } = quality(
        updates,
        (update, round) => ({ bytes: code(update, round).record.length, out }),
        transform === undefined ? DITHERS : 0,
      );
      const bitsPerParameter = (8 * bytes) / layout.length;
      const decibels = squares === 0 ? undefined : 10 * Math.log10(squares / energy);
      const isGaussian = name === "gaussian" && decibels !== undefined;
      const speed = (ms: readonly number[]): Spread =>
        spread(ms.map((one) => (4 * layout.length) / 1e3 / one));
      return {
        source: name,
        codec: transform === undefined ? quantiser : `${quantiser} ${transform}`,
        targetBits,
        bitsPerParameter,
        decibels,
        decibelsAboveBound: isGaussian ? decibels + DECIBELS_PER_BIT * bitsPerParameter : undefined,
        biasRatio,
        errorCorrelation: correlation,
        encodeMegabytesPerSecond: speed(encodeMs),
        decodeMegabytesPerSecond: speed(decodeMs),
        searchPasses: found.passes,
      };
    },
  };
}

/** What a transform leans on: the client's update of the round before, coded at the same rate. */
function referenceOf(
  { layout, updates, earlier }: CodecSource,
  update: Float32Array,
  frame: CodecFrame,
  options: EncodeOptions,
  transform: "rotated" | "predicted",
): { readonly record: Uint8Array; readonly reference: NonNullable<EncodeOptions["reference"]> } | undefined {
  const before = earlier?.[updates.indexOf(update)];
  if (before === undefined) return undefined;
  const identity = { round: REFERENCE_ROUND, client: "0" };
  const { record } = encodeUpdate(before, frame, identity, options);
  const decoded = new Float32Array(layout.length);
  decodeUpdate(record, frame, identity, decoded);
  const { round } = identity;
  const reference =
    transform === "rotated" ? { round, rotation: rotationFrom(decoded, layout) } : { round, update: decoded };
  return { record, reference };
}

/** Distortion of all updates, and bias of the first over many dithers. */
function quality(
  updates: readonly Float32Array[],
  code: (update: Float32Array, round: number) => { readonly bytes: number; readonly out: Float32Array },
  dithers: number,
) {
  let bytes = 0;
  let squares = 0;
  let energy = 0;
  let products = 0;
  updates.forEach((update, round) => {
    const coded = code(update, round);
    bytes += coded.bytes / updates.length;
    update.forEach((value, index) => {
      const error = (coded.out[index] as number) - value;
      squares += error * error;
      energy += value * value;
      products += error * value;
    });
  });
  const first = updates[0] as Float32Array;
  const sums = new Float64Array(first.length);
  let ditherSquares = 0;
  // A transform changes nothing of it: it is the quantiser's.
  for (let round = 0; round < dithers; round++) {
    const { out } = code(first, 1000 + round);
    first.forEach((value, index) => {
      const error = (out[index] as number) - value;
      sums[index] = (sums[index] as number) + error;
      ditherSquares += error * error;
    });
  }
  const meanSquares = sums.reduce((sum, value) => sum + (value / Math.max(dithers, 1)) ** 2, 0);
  return {
    bytes,
    squares,
    energy,
    correlation: squares === 0 ? undefined : products / Math.sqrt(squares * energy),
    biasRatio: ditherSquares === 0 ? undefined : (meanSquares * dithers * dithers) / ditherSquares,
  };
}

/** Sizes of zstd and brotli at their best on the float32 bytes, and on the indices that `z` codes. */
function generalCompressors(
  source: CodecSource,
  cases: readonly Case[],
  seed: number,
): readonly CodecBenchRow[] {
  const update = source.updates[0] as Float32Array;
  const compressors = [
    [
      "zstd-19",
      (bytes: Uint8Array) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }),
    ],
    ["brotli-11", (bytes: Uint8Array) => brotliCompressSync(bytes)],
  ] as const;
  const floats = new Uint8Array(update.buffer, update.byteOffset, update.byteLength);
  const inputs: {
    readonly name: string;
    readonly bytes: Uint8Array;
    readonly targetBits: number | undefined;
  }[] = [{ name: "float32", bytes: floats, targetBits: undefined }];
  for (const { quantiser, isPlain, targetBits, step } of cases) {
    if (quantiser === "z" && isPlain)
      inputs.push({ name: "z indices", bytes: indicesOf(update, step, seed), targetBits });
  }
  return inputs.flatMap(({ name, bytes, targetBits }) =>
    compressors.map(
      ([codec, compress]): CodecBenchRow => ({
        source: source.name,
        codec: `${codec} of ${name}`,
        targetBits,
        bitsPerParameter: (8 * compress(bytes).length) / update.length,
        decibels: undefined,
        decibelsAboveBound: undefined,
        biasRatio: undefined,
        errorCorrelation: undefined,
        encodeMegabytesPerSecond: undefined,
        decodeMegabytesPerSecond: undefined,
        searchPasses: undefined,
      }),
    ),
  );
}

/** Dithered indices as signed bytes, larger ones clipped: what a general compressor would be given. */
function indicesOf(update: Float32Array, step: number, seed: number): Uint8Array {
  const words = new Uint32Array(update.length);
  fillRandomWords(keyFromSeed(seed), words);
  const indices = Int8Array.from(update, (value, at) => {
    const index = value === 0 ? 0 : Math.floor(value / step + (words[at] as number) * 2 ** -32);
    return Math.max(-128, Math.min(127, index));
  });
  return new Uint8Array(indices.buffer);
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}
