import { crc32 } from "../kernel/crc32.ts";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key } from "../kernel/key.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import { type PipelineOptions, pipelineFault, pipelineOf, pipelineOfRecord } from "./pipeline.ts";
import { type CodedAtSize, codeAtSize, fixedRateStep, SMALLEST_STEP, typicalStep } from "./rate-control.ts";
import { LARGEST_STEP, type RecordIdentity, type RecordStages, readRecord, writeRecord } from "./record.ts";
import { type Rotation, rotate, rotationFrom } from "./rotation/rotation.ts";
import { decodeSupport, encodeSupport, findSupport, gather, scatter } from "./support.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** Bytes of a record besides its sections. */
const ENVELOPE_BYTES = 40;
/** Values beyond this many steps are refused: single precision has no more digits to give. */
const LARGEST_INDEX = 2 ** 23;
/** Rotations that are kept: one a client of a large round. */
const MOST_ROTATIONS = 100;
/** The smallest output of the range coder. */
const LEAST_BODY_BYTES = 4;

/** What both ends of the codec share. */
export interface CodecFrame {
  readonly layout: ModelLayout;
  /** Key of the history: every dither derives from it. */
  readonly key: Key;
}

/** How to code an update. */
export interface EncodeOptions extends PipelineOptions {
  /** Step and root mean square of the same client's previous record: the search for the rate starts from them. */
  readonly previous?: { readonly step: number; readonly rms: number };
  /** The decoded earlier record of the same client whose principal axes to use, if any; itself not rotated. */
  readonly reference?: { readonly round: number; readonly rotation: Rotation } | undefined;
  /** Whether single zeros are worth a flag each. */
  readonly sparse?: boolean;
}

/** A coded update. */
export interface EncodedUpdate {
  readonly record: Uint8Array;
  readonly step: number;
  readonly rms: number;
  /** How many codings the rate took. */
  readonly passes: number;
}

/**
 * Codes one update into a record that can be decoded by itself.
 *
 * @param update - [layout.length]; parameters are quantised, buffers kept exactly
 * @throws LETHE_USAGE_PIPELINE for parts that do not fit together; LETHE_NUMERIC_UPDATE for NaN, infinities, and magnitudes above 2^96
 * @throws LETHE_NUMERIC_STEP_TOO_FINE when the rate asks for more digits than single precision has
 */
export function encodeUpdate(
  update: Float32Array,
  frame: CodecFrame,
  identity: RecordIdentity,
  options: EncodeOptions,
): EncodedUpdate {
  const { layout } = frame;
  checkUpdate(update, layout, identity);
  const fault = pipelineFault(options);
  if (fault !== undefined) throw new LetheError("usage", "USAGE_PIPELINE", fault);
  const pipeline = pipelineOf(options);
  const { quantiser } = pipeline;
  const { reference } = options;
  const turned = reference === undefined ? update : update.slice();
  if (reference !== undefined) rotate(turned, reference.rotation, "there");
  const support = findSupport(turned, layout, options.sparse ?? false);
  const values = gather(turned, layout, support);
  const flags = encodeSupport(support, layout);
  const { rms, largest } = magnitudes(values);
  const stages: RecordStages = {
    quantiser: quantiser.wireId,
    isDitherShared: pipeline.isDitherShared,
    coder: pipeline.coder.wireId,
    fixedBits: pipeline.fixedBits,
    ...(reference === undefined ? {} : { rotatedBy: reference.round }),
  };
  const { isDitherShared, coder } = pipeline;
  const prepare = (input: Float32Array) =>
    quantiser.prepare({
      values: input,
      planes: support.planes,
      dither: ditherKey(frame.key, identity),
      isDitherShared,
      coder,
    });
  const coded = ((): CodedAtSize => {
    const { rate } = options;
    if (quantiser.rateControl === "none") return { step: 0, bytes: prepare(values)(0), passes: 1 };
    if ("fixedBits" in rate) {
      const { step, limit } = fixedRateStep(rms, quantiser.fixedReach?.(rate.fixedBits) ?? 0);
      return { step, bytes: prepare(clipped(values, limit))(step), passes: 1 };
    }
    const code = prepare(values);
    if (quantiser.rateControl === "step" && largest === 0) return { step: 1, bytes: code(1), passes: 1 };
    const checkedCode = (step: number): Uint8Array => {
      if (largest > step * LARGEST_INDEX) throw tooFine(step, largest, identity);
      return code(step);
    };
    if ("stepPerRms" in rate) {
      const step = Math.max(Math.fround(rms * rate.stepPerRms), SMALLEST_STEP);
      return { step, bytes: checkedCode(step), passes: 1 };
    }
    const { bitsPerParameter } = rate;
    const name = new TextEncoder().encode(identity.client).length;
    // In a sparse update the zeros are what is saved: the rate then is that of the others.
    const wanted = options.sparse
      ? (bitsPerParameter * values.length) / 8
      : (bitsPerParameter * layout.parameterLength) / 8 - ENVELOPE_BYTES - name - flags.length;
    const target = Math.max(wanted, LEAST_BODY_BYTES);
    if (quantiser.rateControl === "size") return { step: 0, bytes: code(target), passes: 1 };
    const start = firstStep(options.previous, rms, bitsPerParameter);
    return codeAtSize(checkedCode, target, values.length, start, largest);
  })();
  const record = writeRecord({
    ...identity,
    stages,
    parameterCount: layout.parameterLength,
    step: coded.step,
    rms,
    supportKind: support.kind,
    support: flags,
    body: coded.bytes,
    // −0 becomes 0.
    buffers: update.subarray(layout.parameterLength).map((value) => value + 0),
  });
  return { record, step: coded.step, rms, passes: coded.passes };
}

/**
 * Decodes a record into `out`: equal bits on every machine. A pure function that may run in any worker.
 *
 * @param out - [layout.length], overwritten
 * @param workspace - to be given again when many records are decoded one after another
 * @param findRecord - finds the client's record of an earlier round, for those that were rotated
 * @throws LETHE_INTEGRITY_RECORD naming the round and the client, whatever was changed in the bytes
 */
export function decodeUpdate(
  bytes: Uint8Array,
  frame: CodecFrame,
  identity: RecordIdentity,
  out: Float32Array,
  workspace: Workspace = createWorkspace(),
  findRecord?: FindReference,
): void {
  const { layout } = frame;
  const record = readRecord(bytes, identity);
  const pipeline = pipelineOfRecord(record);
  if (
    !pipeline ||
    record.parameterCount !== layout.parameterLength ||
    record.buffers.length !== layout.length - layout.parameterLength ||
    (pipeline.quantiser.rateControl === "step") !== record.step > 0
  ) {
    throw mismatch(identity);
  }
  try {
    const { rotatedBy } = record.stages;
    const rotation =
      rotatedBy === undefined
        ? undefined
        : rotationOfRecord(frame, { round: rotatedBy, client: identity.client }, workspace, findRecord);
    const support = decodeSupport(record.support, record.supportKind, layout);
    const direct = support.kind === "all";
    const dense = direct ? out.subarray(0, support.count) : workspace.values(support.count);
    const { count, planes } = support;
    const dither = ditherKey(frame.key, identity);
    const { quantiser, coder, isDitherShared } = pipeline;
    quantiser.decode(
      record.body,
      { count, planes, dither, isDitherShared, coder, workspace },
      record.step,
      dense,
    );
    if (!direct) scatter(dense, layout, support, out);
    if (rotation) {
      rotate(out, rotation, "back");
      expectFinite(out, layout);
    }
    out.set(record.buffers, layout.parameterLength);
  } catch (cause) {
    if (isLetheError(cause, "integrity")) throw mismatch(identity, cause);
    throw cause;
  }
}

/** Finds a record of the client that is being coded, by its round. */
export type FindReference = (round: number) => Uint8Array | undefined;

/**
 * The rotation that a record names, from the record it refers to; kept in the workspace for the next one.
 *
 * @throws LETHE_INTEGRITY_REFERENCE where there is none, or it is rotated itself
 */
export function rotationOfRecord(
  frame: CodecFrame,
  reference: RecordIdentity,
  workspace: Workspace,
  findRecord: FindReference | undefined,
): Rotation {
  const bytes = findRecord?.(reference.round);
  if (bytes === undefined || readRecord(bytes, reference).stages.rotatedBy !== undefined)
    throw new LetheError(
      "integrity",
      "INTEGRITY_REFERENCE",
      `Expected a record of its own axes in round ${reference.round}, got ${bytes ? "a rotated one" : "none"}.`,
    );
  // The checksum too: one workspace may serve several histories.
  const name = `${crc32(bytes)} ${reference.round} ${reference.client}`;
  const known = workspace.rotations.get(name);
  if (known !== undefined) return known;
  const update = new Float32Array(frame.layout.length);
  decodeUpdate(bytes, frame, reference, update, workspace);
  const rotation = rotationFrom(update, frame.layout);
  workspace.rotations.set(name, rotation);
  const [oldest] = workspace.rotations.keys();
  if (workspace.rotations.size > MOST_ROTATIONS && oldest !== undefined) workspace.rotations.delete(oldest);
  return rotation;
}

/** Turning numbers that no writer wrote can leave single precision. */
function expectFinite(values: Float32Array, { parameterLength }: ModelLayout): void {
  for (let index = 0; index < parameterLength; index++) {
    if (Number.isFinite(values[index])) continue;
    throw new LetheError("integrity", "INTEGRITY_ROTATION", "Expected finite numbers after turning back.");
  }
}

/** The last step scaled as the updates were, or without one what is typical. */
function firstStep(previous: EncodeOptions["previous"], rms: number, bitsPerParameter: number): number {
  if (!previous || previous.step === 0 || previous.rms === 0) return typicalStep(rms, bitsPerParameter);
  return previous.step * (rms / previous.rms);
}

/** No two updates share a dither: it would correlate their errors. */
function ditherKey(key: Key, { round, client }: RecordIdentity): Key {
  return deriveKey(key, "dither", round, client);
}

/** Values brought into ±`limit`: the overload of a fixed rate. */
function clipped(values: Float32Array, limit: number): Float32Array {
  return values.map((value) => Math.max(-limit, Math.min(limit, value)));
}

function magnitudes(values: Float32Array): { readonly rms: number; readonly largest: number } {
  let squares = 0;
  let largest = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    squares += value * value;
    const magnitude = Math.abs(value);
    if (magnitude > largest) largest = magnitude;
  }
  return { rms: Math.sqrt(squares / Math.max(values.length, 1)), largest };
}

function checkUpdate(update: Float32Array, layout: ModelLayout, { round, client }: RecordIdentity): void {
  const details = { round, client };
  if (update.length !== layout.length) {
    throw new LetheError(
      "data",
      "DATA_UPDATE_LENGTH",
      `Expected ${layout.length} numbers in the update of client "${client}" in round ${round}, got ${update.length}.`,
      { details },
    );
  }
  for (let index = 0; index < update.length; index++) {
    // NaN fails the comparison as well.
    if (Math.abs(update[index] as number) <= LARGEST_STEP / 16) continue;
    const slot = layout.slots.find(({ offset, length }) => index < offset + length);
    throw new LetheError(
      "numeric",
      "NUMERIC_UPDATE",
      `Expected finite numbers in the update of client "${client}" in round ${round}, got ${update[index]} in tensor ` +
        `"${slot?.name}". Lower the learning rate, or leave the client out of this round.`,
      { details: { ...details, tensor: slot?.name ?? "" } },
    );
  }
}

function mismatch({ round, client }: RecordIdentity, cause?: unknown): LetheError {
  return new LetheError(
    "integrity",
    "INTEGRITY_RECORD",
    `The record of client "${client}" in round ${round} does not fit this history: its content is damaged or of ` +
      "another model. Restore it from a copy, or erase the client.",
    { details: { round, client }, cause },
  );
}

function tooFine(step: number, largest: number, { round, client }: RecordIdentity): LetheError {
  return new LetheError(
    "numeric",
    "NUMERIC_STEP_TOO_FINE",
    `Expected values of at most 2^23 steps in the update of client "${client}" in round ${round}, got ${largest} with ` +
      `a step of ${step}. Ask for fewer bits, or use the quantiser \`none\`.`,
    { details: { round, client, step, largest } },
  );
}
