import { LetheError } from "../../kernel/errors.ts";
import { fillRandomWords, type Key } from "../../kernel/key.ts";
import { type Guide, plainGuide } from "../coding/guide.ts";
import type { Plane } from "../coding/plane.ts";
import type { SymbolSequence } from "../coding/symbol-coder.ts";
import { kernelOf, type LentArrays } from "../fast/kernel.ts";
import type { Quantiser, QuantiserFrame } from "./contract.ts";

/** A guess of the coded size that seldom has to grow: a third of a byte a coordinate. */
const EXPECTED_SHARE = 1 / 3;
/** The word of no dither: the middle of the words' range. */
const MIDDLE_WORD = 0x80000000;

/** The symbols of an update and what is known before reading each of them. */
export interface CodeSymbols {
  /** Folded index of each coordinate: 0 for the point that a zero would get, then by distance. */
  readonly symbols: Int32Array; // [count], a multiple of the dimension
  /** Side byte of each coordinate, as the code's guide reads it. */
  readonly sides: Uint8Array; // [count]
  /** Which translate of the integer sublattice each block lies in (0 or 1); empty for a code without. */
  readonly cosets: Int32Array; // [blocks]
  readonly cosetSides: Uint8Array; // [blocks]
  /** What the writer tells the reader besides. */
  readonly head: Uint8Array; // [headBytes]
  /** The matrices that the coordinates fill. */
  readonly planes: readonly Plane[];
}

/**
 * A code as loops over whole vectors: one call a vector, so that they run at full speed. `Dither` is the form in which it
 * wants its random offset d.
 */
export interface SymbolCode<Dither>
  extends Pick<
    Quantiser,
    | "id"
    | "wireId"
    | "title"
    | "source"
    | "bias"
    | "bitsRange"
    | "isLattice"
    | "fixedReach"
    | "errorPerSquaredStep"
  > {
  /** Coordinates of a block; the last block is filled with zeros. */
  readonly dimension: number;
  /** Random words it takes a coordinate, 1 or 0, and further ones for a whole update. */
  readonly words: { readonly perCoordinate: 0 | 1; readonly more: number };
  readonly hasCosets: boolean;
  readonly headBytes: number;
  /** The offset d, uniform on a cell of the code, from the random words; d = 0 for words of 2^31. */
  dither(words: Uint32Array): Dither;
  /** How symbols depend on earlier ones. */
  guide?(dither: Dither): Guide;
  /** Fills `sides` from the dither, and from `cosets` where there are any. */
  describe(dither: Dither, into: CodeSymbols): void;
  /** Fills `cosetSides` from the dither; only where there are cosets. */
  describeCosets?(dither: Dither, into: CodeSymbols): void;
  /**
   * Fills `symbols`, `cosets` and `head` with the points nearest to values / step + d, numbered as a reader numbers them who
   * knows the dither `known`: d itself, or 0.
   */
  quantise(values: Float32Array, step: number, dither: Dither, known: Dither, into: CodeSymbols): void;
  /** (point − d) · step rounded to single precision, for the first `out.length` coordinates. */
  reconstruct(from: CodeSymbols, step: number, dither: Dither, out: Float32Array): void;
}

/**
 * A quantiser that sends symbols through the coder of the pipeline. With a tessellating code and a dither:
 *
 *   y = Q(x/Δ + d),  x̂ = (y − d) Δ  (subtractive)  or  x̂ = y Δ  (non-subtractive),  d uniform on a cell of the code
 *
 * Subtractively the error x̂ − x is uniform on the cell scaled by Δ and independent of x: unbiased, with exactly known
 * variance. Non-subtractively it is unbiased, depends on x, and has twice that variance on average over x.
 *
 * Source: R. Zamir, "Lattice Coding for Signals and Networks" (2014), ch. 4; N. Lang et al., arXiv 2505.03388, stage C.
 */
export function symbolQuantiser<Dither>(code: SymbolCode<Dither>): Quantiser {
  return {
    id: code.id,
    wireId: code.wireId,
    title: code.title,
    source: code.source,
    ...(code.bias === undefined ? {} : { bias: code.bias }),
    rateControl: "step",
    bitsRange: code.bitsRange,
    hasSymbols: true,
    isLattice: code.isLattice ?? false,
    ...(code.fixedReach === undefined ? {} : { fixedReach: code.fixedReach }),
    ...(code.errorPerSquaredStep === undefined ? {} : { errorPerSquaredStep: code.errorPerSquaredStep }),
    prepare({ values, ...input }) {
      const frame = { ...input, count: values.length };
      let opened = openToWrite(code, frame, values);
      return (step) => {
        const { kernel } = frame.workspace;
        // Another vector may have been coded in the kernel's memory since.
        if (opened.lent !== undefined && kernel?.holds(opened.lent) !== true)
          opened = openToWrite(code, frame, values);
        const { work, known, dither, padded, sequence, cosetSequence } = opened;
        code.quantise(padded, step, dither, known, work);
        const writer = frame.coder.createWriter(Math.ceil(values.length * EXPECTED_SHARE) + 64);
        if (code.hasCosets) {
          writer.write(cosetSequence);
          code.describe(known, work);
        }
        writer.write(sequence);
        return withHead(work.head, writer.finish());
      };
    },
    decode(bytes, frame, step, out) {
      const { work, known, lent, sequence, cosetSequence } = open(code, frame);
      if (bytes.length < code.headBytes) throw damaged(code.id);
      work.head.set(bytes.subarray(0, code.headBytes));
      const reader = frame.coder.createReader(bytes.subarray(code.headBytes));
      if (code.hasCosets) {
        reader.read(cosetSequence);
        code.describe(known, work);
      }
      reader.read(sequence);
      if (!reader.isAtEnd()) throw damaged(code.id);
      if (lent === undefined) code.reconstruct(work, step, known, out);
      else {
        const inside = lent.values.subarray(0, out.length);
        code.reconstruct(work, step, known, inside);
        out.set(inside);
      }
    },
  };
}

/** Everything that is known before the first symbol, and the values with their own dither. */
function openToWrite<Dither>(code: SymbolCode<Dither>, frame: QuantiserFrame, values: Float32Array) {
  const opened = open(code, frame);
  const { work, known, lent } = opened;
  // Only the writer has it where it is not shared.
  const dither = frame.isDitherShared ? known : code.dither(ditherWords(code, frame, work, undefined, true));
  const { length } = work.symbols;
  if (lent === undefined && length === values.length) return { ...opened, dither, padded: values };
  const padded = lent?.values ?? new Float32Array(length);
  padded.set(values);
  padded.fill(0, values.length);
  return { ...opened, dither, padded };
}

/** Buffers and everything that is known before the first symbol; the buffers hold what they held before. */
function open<Dither>(code: SymbolCode<Dither>, frame: QuantiserFrame) {
  const { count, workspace, planes } = frame;
  const blocks = Math.ceil(count / code.dimension);
  const length = blocks * code.dimension;
  const cosets = code.hasCosets ? blocks : 0;
  const words = code.words.perCoordinate * length + code.words.more;
  const lent =
    frame.isDitherShared && frame.coder.isInKernel === true
      ? workspace.kernel?.lend({ length, words, blocks: cosets })
      : undefined;
  const work: CodeSymbols = {
    symbols: lent?.symbols ?? workspace.symbols(length),
    sides: lent?.sides ?? workspace.sides(length),
    cosets: lent?.cosets ?? workspace.cosets(cosets),
    cosetSides: lent?.cosetSides ?? workspace.cosetSides(cosets),
    head: new Uint8Array(code.headBytes),
    planes: length === count ? planes : [...planes, { rows: 1, columns: length - count }],
  };
  const known = code.dither(ditherWords(code, frame, work, lent, frame.isDitherShared));
  if (code.hasCosets) code.describeCosets?.(known, work);
  else code.describe(known, work);
  const sequence: SymbolSequence = {
    symbols: work.symbols,
    sides: work.sides,
    planes: work.planes,
    guide: code.guide?.(known) ?? plainGuide,
  };
  const cosetSequence: SymbolSequence = {
    symbols: work.cosets,
    sides: work.cosetSides,
    planes: [{ rows: 1, columns: cosets }],
    guide: plainGuide,
    largest: 1,
  };
  return { work, known, lent, sequence, cosetSequence };
}

/** The words that a code's dither is made of: random ones, or those of no dither. */
function ditherWords(
  { words: { perCoordinate, more } }: Pick<SymbolCode<unknown>, "words">,
  { dither, workspace, isDitherShared }: QuantiserFrame,
  { symbols }: CodeSymbols,
  lent: LentArrays | undefined,
  isRandom: boolean,
): Uint32Array {
  const length = perCoordinate * symbols.length + more;
  // Without sharing a writer has two dithers at once, and the workspace one array of words.
  const words =
    lent?.words ?? (isRandom && !isDitherShared ? new Uint32Array(length) : workspace.words(length));
  if (!isRandom) words.fill(MIDDLE_WORD);
  else if (!fillInKernel(dither, words)) fillRandomWords(dither, words);
  return words;
}

/** `fillRandomWords` in the kernel, where the words are in its memory. */
function fillInKernel(key: Key, words: Uint32Array): boolean {
  const kernel = kernelOf(words);
  const [place] = kernel?.scratch(key.byteLength) ?? [];
  if (kernel === undefined || place === undefined) return false;
  kernel.write(place, key);
  kernel.calls.fillWords(place, words.byteOffset, words.length);
  return true;
}

function withHead(head: Uint8Array, rest: Uint8Array): Uint8Array {
  if (head.length === 0) return rest;
  const bytes = new Uint8Array(head.length + rest.length);
  bytes.set(head);
  bytes.set(rest, head.length);
  return bytes;
}

function damaged(id: string): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_SYMBOLS",
    `Expected symbols as quantiser \`${id}\` writes them, got bytes that end elsewhere: they are damaged.`,
    { details: { quantiser: id } },
  );
}
