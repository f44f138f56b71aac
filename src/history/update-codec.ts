import { crc32 } from "../kernel/crc32.ts";
import { isLetheError, LetheError } from "../kernel/errors.ts";
import { deriveKey, type Key } from "../kernel/key.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import { checkUpdate } from "./check-update.ts";
import { codeAtRate } from "./code-at-rate.ts";
import { type PipelineOptions, pipelineFault, pipelineOf, pipelineOfRecord } from "./pipeline.ts";
import { predict, weightOf } from "./prediction.ts";
import {
  type RecordIdentity,
  type RecordReference,
  type RecordStages,
  readRecord,
  writeRecord,
} from "./record.ts";
import { type Rotation, rotate, rotationFrom } from "./rotation/rotation.ts";
import { decodeSupport, encodeSupport, findSupport, gather, scatter } from "./support.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** Bytes of a record besides its sections. */
const ENVELOPE_BYTES = 40;
/** Rotations that are kept: one a client of a large round. */
const MOST_ROTATIONS = 100;
/** Bytes of a record's own checksum, at its end. */
const CRC_BYTES = 4;
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
  /** The decoded earlier record of the same client to lean on, if any: its principal axes, or itself. It leans on none. */
  readonly reference?:
    | { readonly round: number; readonly rotation: Rotation }
    | { readonly round: number; readonly update: Float32Array }
    | undefined;
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
 * @param workspace - to be given again when many updates are coded one after another
 * @throws LETHE_USAGE_PIPELINE for parts that do not fit together; LETHE_NUMERIC_UPDATE for NaN, infinities, and magnitudes above 2^96
 * @throws LETHE_NUMERIC_STEP_TOO_FINE when the rate asks for more digits than single precision has
 */
export function encodeUpdate(
  update: Float32Array,
  frame: CodecFrame,
  identity: RecordIdentity,
  options: EncodeOptions,
  workspace: Workspace = createWorkspace(),
): EncodedUpdate {
  const { layout } = frame;
  checkUpdate(update, layout, identity, workspace.kernel);
  const fault = pipelineFault(options);
  if (fault !== undefined) throw new LetheError("usage", "USAGE_PIPELINE", fault);
  const pipeline = pipelineOf(options);
  const { quantiser } = pipeline;
  const { transformed: turned, reference } = transform(update, layout, options.reference);
  const support = findSupport(turned, layout, options.sparse ?? false);
  const values = gather(turned, layout, support);
  const flags = encodeSupport(support, layout);
  const stages: RecordStages = {
    quantiser: quantiser.wireId,
    isDitherShared: pipeline.isDitherShared,
    coder: quantiser.hasSymbols ? pipeline.coder.wireId : 0,
    fixedBits: pipeline.fixedBits,
    ...(reference === undefined ? {} : { reference }),
  };
  const input = {
    planes: support.planes,
    dither: ditherKey(frame.key, identity),
    isDitherShared: pipeline.isDitherShared,
    coder: pipeline.coder,
    workspace,
  };
  const coded = codeAtRate(values, (list) => quantiser.prepare({ ...input, values: list }), {
    quantiser,
    rate: options.rate,
    targetBytes: bodyBytes(values.length, flags.length, layout, identity, options),
    previous: options.previous,
    identity,
    kernel: workspace.kernel,
  });
  const record = writeRecord({
    ...identity,
    stages,
    parameterCount: layout.parameterLength,
    step: coded.step,
    rms: coded.rms,
    supportKind: support.kind,
    support: flags,
    body: coded.bytes,
    // −0 becomes 0.
    buffers: update.subarray(layout.parameterLength).map((value) => value + 0),
  });
  return { record, step: coded.step, rms: coded.rms, passes: coded.passes };
}

/**
 * Decodes a record into `out`: equal bits on every machine. A pure function that may run in any worker.
 *
 * @param out - [layout.length], overwritten
 * @param workspace - to be given again when many records are decoded one after another
 * @param findRecord - finds the client's record of an earlier round, for those that were rotated or predicted
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
    const { reference } = record.stages;
    const from = reference && { round: reference.round, client: identity.client };
    const rotation =
      from && reference.weight === undefined
        ? rotationOfRecord(frame, from, workspace, findRecord)
        : undefined;
    const prediction = from &&
      reference.weight !== undefined && {
        update: decodedReference(frame, from, workspace, findRecord),
        weight: reference.weight,
      };
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
    if (rotation) rotate(out, rotation, "back");
    if (prediction) predict(out, prediction, layout, "back");
    if (reference) expectFinite(out, layout);
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
 * @throws LETHE_INTEGRITY_REFERENCE where there is none, or it leans on another itself
 */
export function rotationOfRecord(
  frame: CodecFrame,
  reference: RecordIdentity,
  workspace: Workspace,
  findRecord: FindReference | undefined,
): Rotation {
  const bytes = referenceBytes(reference, findRecord);
  // The checksum too: one workspace may serve several histories. With its own at the end every record's would be the same.
  const name = `${crc32(bytes.subarray(0, -CRC_BYTES))} ${reference.round} ${reference.client}`;
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

/**
 * The update of the record that another one is predicted from.
 *
 * @returns [layout.length]
 * @throws LETHE_INTEGRITY_REFERENCE where there is none, or it leans on another itself
 */
export function decodedReference(
  frame: CodecFrame,
  reference: RecordIdentity,
  workspace: Workspace,
  findRecord: FindReference | undefined,
): Float32Array {
  const update = new Float32Array(frame.layout.length);
  decodeUpdate(referenceBytes(reference, findRecord), frame, reference, update, workspace);
  return update;
}

/** Chains of references end at the first: a record that others lean on stands by itself. */
function referenceBytes(reference: RecordIdentity, findRecord: FindReference | undefined): Uint8Array {
  const bytes = findRecord?.(reference.round);
  if (bytes !== undefined && readRecord(bytes, reference).stages.reference === undefined) return bytes;
  throw new LetheError(
    "integrity",
    "INTEGRITY_REFERENCE",
    `Expected a record that stands by itself in round ${reference.round}, got ${bytes ? "another" : "none"}.`,
  );
}

/** What is quantised in place of an update, and what the record says about it. */
function transform(
  update: Float32Array,
  layout: ModelLayout,
  reference: EncodeOptions["reference"],
): { readonly transformed: Float32Array; readonly reference?: RecordReference } {
  if (reference === undefined) return { transformed: update };
  const { round } = reference;
  const transformed = update.slice();
  if ("rotation" in reference) {
    rotate(transformed, reference.rotation, "there");
    return { transformed, reference: { round } };
  }
  const weight = weightOf(update, reference.update, layout);
  if (weight === undefined) return { transformed: update };
  predict(transformed, { update: reference.update, weight }, layout, "there");
  return { transformed, reference: { round, weight } };
}

/** Turning or adding numbers that no writer wrote can leave single precision. */
function expectFinite(values: Float32Array, { parameterLength }: ModelLayout): void {
  for (let index = 0; index < parameterLength; index++) {
    if (Number.isFinite(values[index])) continue;
    throw new LetheError(
      "integrity",
      "INTEGRITY_TRANSFORM",
      "Expected finite numbers after turning or adding back.",
    );
  }
}

/** What the rate leaves for the body; 0 where it is not in bits a parameter. */
function bodyBytes(
  coded: number,
  supportBytes: number,
  layout: ModelLayout,
  { client }: RecordIdentity,
  { rate, sparse }: EncodeOptions,
): number {
  if (!("bitsPerParameter" in rate)) return 0;
  // In a sparse update the zeros are what is saved: the rate then is that of the others.
  const wanted = sparse
    ? (rate.bitsPerParameter * coded) / 8
    : (rate.bitsPerParameter * layout.parameterLength) / 8 -
      ENVELOPE_BYTES -
      new TextEncoder().encode(client).length -
      supportBytes;
  return Math.max(wanted, LEAST_BODY_BYTES);
}

/** No two updates share a dither: it would correlate their errors. */
function ditherKey(key: Key, { round, client }: RecordIdentity): Key {
  return deriveKey(key, "dither", round, client);
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
