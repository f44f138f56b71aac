import { crc32 } from "../kernel/crc32.ts";
import { LetheError } from "../kernel/errors.ts";
import { WEIGHT_PARTS } from "./prediction.ts";
import type { SupportKind } from "./support.ts";

/** "LTHU", the first bytes of every record. */
const MAGIC = 0x5548544c;
/** Version 2 names every stage. Versions 1 and 3 are those of records that only mask, quantise and code, and say with what. */
const STAGED_VERSION = 2;
/** [version]: its coder, by its permanent number. */
const CODERS_OF_PLAIN: Readonly<Record<number, number>> = { 1: 0, 3: 3 };
/** Bytes before the client's name in versions 1 and 3, what version 2 adds to them, and bytes after the last section. */
const PLAIN_BYTES = 36;
const STAGE_BYTES = 8;
const CRC_BYTES = 4;
/** The number of a prediction by the least weight, among the transforms. */
const FIRST_PREDICTION = 16;
const LONGEST_NAME = 255;
/** The largest step of a record: with indices below 2^25 no decoded value can overflow. */
export const LARGEST_STEP = 2 ** 100;
const SUPPORT_KINDS: readonly SupportKind[] = ["all", "lines", "elements"];

/** Whose update a record holds. The round's mean has the empty name. */
export interface RecordIdentity {
  readonly round: number;
  readonly client: string;
}

/** An earlier record whose principal axes an update was turned to, or, with a weight, that was subtracted from it. */
export interface RecordReference {
  readonly round: number;
  /** Multiple of 1/16 in (0, 1]. */
  readonly weight?: number;
}

/** The stages that a record went through after its zeros were masked, by their permanent numbers. */
export interface RecordStages {
  readonly quantiser: number;
  /** False: only the writer knew the dither. */
  readonly isDitherShared: boolean;
  readonly coder: number;
  /** Bits a symbol where the rate is fixed, 0 otherwise. */
  readonly fixedBits: number;
  /** The same client's record that a transform leans on; left out without one. */
  readonly reference?: RecordReference;
}

/** The parts of a record; docs/history-format.md gives their bytes. */
export interface RecordParts extends RecordIdentity {
  readonly stages: RecordStages;
  readonly parameterCount: number;
  /** Quantiser step, 0 where there is none. */
  readonly step: number;
  /** Root mean square of the coded parameters before coding: the next record's step is guessed from it. */
  readonly rms: number;
  readonly supportKind: SupportKind;
  readonly support: Uint8Array;
  readonly body: Uint8Array;
  readonly buffers: Float32Array;
}

/** Puts the parts of an update into one record, closed by a CRC-32. */
export function writeRecord(parts: RecordParts): Uint8Array {
  const name = new TextEncoder().encode(parts.client);
  if (name.length > LONGEST_NAME) {
    throw new LetheError(
      "usage",
      "USAGE_CLIENT_NAME",
      `Expected a client name of at most ${LONGEST_NAME} bytes, got ${name.length}.`,
    );
  }
  const { quantiser, isDitherShared, coder, fixedBits, reference } = parts.stages;
  const plainVersion = plainVersionOf(parts.stages);
  const isPlain = plainVersion !== undefined;
  const fixedBytes = PLAIN_BYTES + (isPlain ? 0 : STAGE_BYTES);
  const sections = name.length + parts.support.length + parts.body.length + 4 * parts.buffers.length;
  const bytes = new Uint8Array(fixedBytes + sections + CRC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, plainVersion ?? STAGED_VERSION);
  view.setUint8(5, quantiser);
  view.setUint8(6, SUPPORT_KINDS.indexOf(parts.supportKind));
  view.setUint8(7, name.length);
  view.setUint32(8, parts.round, true);
  view.setUint32(12, parts.parameterCount, true);
  view.setUint32(16, parts.buffers.length, true);
  view.setFloat32(20, parts.step, true);
  view.setUint32(24, parts.support.length, true);
  view.setUint32(28, parts.body.length, true);
  view.setFloat32(32, parts.rms, true);
  if (!isPlain) {
    view.setUint8(PLAIN_BYTES, isDitherShared ? 0 : 1);
    view.setUint8(PLAIN_BYTES + 1, coder);
    view.setUint8(PLAIN_BYTES + 2, fixedBits);
    view.setUint8(PLAIN_BYTES + 3, transformNumber(reference));
    view.setUint32(PLAIN_BYTES + 4, reference?.round ?? 0, true);
  }
  let at = fixedBytes;
  for (const section of [name, parts.support, parts.body]) {
    bytes.set(section, at);
    at += section.length;
  }
  for (const value of parts.buffers) {
    view.setFloat32(at, value, true);
    at += 4;
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true);
  return bytes;
}

/**
 * Takes a record apart after checking its CRC-32, its lengths and its ranges. The sections are views of `bytes`.
 *
 * @param expected - whose record it should be; a record that names another is refused
 * @throws LETHE_INTEGRITY_RECORD naming the round and the client
 */
export function readRecord(bytes: Uint8Array, expected: RecordIdentity): RecordParts {
  const fail = (what: string): never => {
    throw new LetheError(
      "integrity",
      "INTEGRITY_RECORD",
      `The record of client "${expected.client}" in round ${expected.round} is damaged: expected ${what}. ` +
        "Restore it from a copy, or erase the client.",
      { details: { round: expected.round, client: expected.client } },
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PLAIN_BYTES + CRC_BYTES)
    fail(`at least ${PLAIN_BYTES + CRC_BYTES} bytes, got ${bytes.length}`);
  const end = bytes.length - CRC_BYTES;
  if (crc32(bytes.subarray(0, end)) !== view.getUint32(end, true)) fail("a matching CRC-32");
  if (view.getUint32(0, true) !== MAGIC) fail("the mark of an update record");
  const version = view.getUint8(4);
  const plainCoder = CODERS_OF_PLAIN[version];
  const isPlain = plainCoder !== undefined;
  if (!isPlain && version !== STAGED_VERSION) fail(`version 1, 2 or 3, got ${version}`);
  const fixedBytes = PLAIN_BYTES + (isPlain ? 0 : STAGE_BYTES);
  if (bytes.length < fixedBytes + CRC_BYTES)
    fail(`at least ${fixedBytes + CRC_BYTES} bytes, got ${bytes.length}`);
  const supportKind = SUPPORT_KINDS[view.getUint8(6)] ?? fail(`a support kind, got ${view.getUint8(6)}`);
  const nameBytes = view.getUint8(7);
  const round = view.getUint32(8, true);
  const bufferCount = view.getUint32(16, true);
  const step = view.getFloat32(20, true);
  const supportBytes = view.getUint32(24, true);
  const bodyBytes = view.getUint32(28, true);
  const rms = view.getFloat32(32, true);
  if (fixedBytes + nameBytes + supportBytes + bodyBytes + 4 * bufferCount !== end) {
    fail(`sections that fill ${bytes.length} bytes`);
  }
  // NaN fails the comparison as well.
  if (!(step >= 0 && step <= LARGEST_STEP)) fail(`a step in [0, 2^100], got ${step}`);
  if (!(rms >= 0 && rms <= LARGEST_STEP)) fail(`a root mean square in [0, 2^100], got ${rms}`);
  const supportAt = fixedBytes + nameBytes;
  const client = new TextDecoder().decode(bytes.subarray(fixedBytes, supportAt));
  if (client !== expected.client || round !== expected.round) {
    fail(`its own name, got client "${client}" in round ${round}`);
  }
  const bodyAt = supportAt + supportBytes;
  const buffersAt = bodyAt + bodyBytes;
  const buffers = new Float32Array(bufferCount);
  for (let index = 0; index < bufferCount; index++) {
    buffers[index] = view.getFloat32(buffersAt + 4 * index, true);
    if (!Number.isFinite(buffers[index])) fail("finite buffers");
  }
  return {
    round,
    client,
    stages: isPlain
      ? { quantiser: view.getUint8(5), isDitherShared: true, coder: plainCoder, fixedBits: 0 }
      : readStages(view, fail),
    parameterCount: view.getUint32(12, true),
    step,
    rms,
    supportKind,
    support: bytes.subarray(supportAt, bodyAt),
    body: bytes.subarray(bodyAt, buffersAt),
    buffers,
  };
}

/** 0 for none, 1 for a rotation, 16 and up for predictions by 1/16, 2/16, … */
function transformNumber(reference: RecordReference | undefined): number {
  if (reference === undefined) return 0;
  return reference.weight === undefined ? 1 : FIRST_PREDICTION - 1 + WEIGHT_PARTS * reference.weight;
}

/** The version without a list of stages that says as much, if there is one. */
function plainVersionOf({ isDitherShared, coder, fixedBits, reference }: RecordStages): number | undefined {
  if (!isDitherShared || fixedBits !== 0 || reference !== undefined) return undefined;
  const version = Object.keys(CODERS_OF_PLAIN).find((one) => CODERS_OF_PLAIN[Number(one)] === coder);
  return version === undefined ? undefined : Number(version);
}

/** The stages of a version 2 record; one that another version could have said is refused, so that each has one form. */
function readStages(view: DataView, fail: (what: string) => never): RecordStages {
  const dither = view.getUint8(PLAIN_BYTES);
  const coder = view.getUint8(PLAIN_BYTES + 1);
  const fixedBits = view.getUint8(PLAIN_BYTES + 2);
  if (dither > 1) fail(`0 or 1 for the dither, got ${dither}`);
  const transform = view.getUint8(PLAIN_BYTES + 3);
  const round = view.getUint32(PLAIN_BYTES + 4, true);
  const weight = (transform - FIRST_PREDICTION + 1) / WEIGHT_PARTS;
  if ((transform > 1 && !(weight > 0 && weight <= 1)) || (transform === 0 && round !== 0))
    fail(`no transform, a rotation or a prediction, got ${transform}`);
  const plain = { quantiser: view.getUint8(5), isDitherShared: dither === 0, coder, fixedBits };
  const reference = transform === 1 ? { round } : { round, weight };
  const stages = transform === 0 ? plain : { ...plain, reference };
  if (plainVersionOf(stages) !== undefined) fail("a stage that the other versions do not have");
  return stages;
}
