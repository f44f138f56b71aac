import { LetheError } from "../kernel/errors.ts";
import type { CodecConfig } from "./config.ts";
import type { FindRecord, RoundEntries, RoundEntry } from "./entry.ts";
import { residualAfter, withResidual } from "./feedback.ts";
import { type RecordIdentity, type RecordParts, readRecord } from "./record.ts";
import { sampleClients } from "./sampling.ts";
import {
  type CodecFrame,
  decodedReference,
  decodeUpdate,
  type EncodeOptions,
  encodeUpdate,
  rotationOfRecord,
} from "./update-codec.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** A client of a round, with its update unless it gave none. */
export interface Participant {
  readonly client: string;
  /** Weight in the aggregate, such as the number of samples; above 0. */
  readonly weight: number;
  /** [layout.length], or undefined for a client that was asked and did not answer. */
  readonly update: Float32Array | undefined;
}

/** What is stored already. */
export interface EarlierRecords {
  /** A client's last record, which thresholding compares with and rate control starts from. */
  last(client: string): { readonly round: number; readonly bytes: Uint8Array } | undefined;
  /** A client's record of a round, whose axes later ones are turned to. */
  find: FindRecord;
  /** What a client's last record left to be made up for, with feedback. */
  residual(client: string): Uint8Array | undefined;
}

/** What a round has to store. */
export interface EncodedRound extends RoundEntries {
  /** With feedback: the residual of every client that has a record, in place of its earlier one. */
  readonly residuals: ReadonlyMap<string, Uint8Array>;
}

/** The client name under which a round's mean is coded. */
export const MEAN = "";

/**
 * Turns a round's updates into what is stored of them: sampling, thresholding, coding.
 *
 * Thresholding is a closed loop: updates are compared with what a reader will decode, so that errors cannot drift.
 *
 * @throws LETHE_NUMERIC_UPDATE for updates that are not finite, LETHE_USAGE_PARTICIPANTS for double names and weights
 *   that are not positive
 * Source: N. Lang et al., arXiv 2505.03388. Departures: thresholds are relative to the update's norm (`mean`) and to the
 * difference's root mean square (`element`), so that one value serves a whole run.
 */
export function encodeRound(
  round: number,
  participants: readonly Participant[],
  frame: CodecFrame,
  config: CodecConfig,
  earlier: EarlierRecords,
  workspace: Workspace = createWorkspace(),
): EncodedRound {
  checkParticipants(round, participants);
  const present = participants.flatMap(({ client, weight, update }) =>
    update ? [{ client, weight, update }] : [],
  );
  const sampled = sampleClients(
    frame.key,
    round,
    present.map(({ client }) => client),
    config.storedClientFraction,
  );
  const { threshold, quantiser, rate, dither, coder, rotation, prediction, feedback } = config;
  const base: EncodeOptions = { quantiser, rate, dither, coder, rotation, prediction };
  const period = (rotation ?? prediction)?.period;
  const scratch = new Float32Array(frame.layout.length);

  /** The last record that stands by itself, or its axes, until the period is over; then this round's record stands so. */
  const referenceFor = ({ client, round: lastRound, stages }: RecordParts): EncodeOptions["reference"] => {
    const ownRound = stages.reference?.round ?? lastRound;
    if (period === undefined || round - ownRound >= period) return undefined;
    const identity = { round: ownRound, client };
    const find = (at: number) => earlier.find(at, client);
    return rotation === undefined
      ? { round: ownRound, update: decodedReference(frame, identity, workspace, find) }
      : { round: ownRound, rotation: rotationOfRecord(frame, identity, workspace, find) };
  };

  const encode = (client: string, update: Float32Array, sparse: boolean): Uint8Array => {
    const last = earlier.last(client);
    const previous = last && readRecord(last.bytes, { round: last.round, client });
    const reference = previous && referenceFor(previous);
    const options = { ...base, sparse, reference, ...(previous ? { previous } : {}) };
    return encodeUpdate(update, frame, { round, client }, options, workspace).record;
  };

  const decode = (bytes: Uint8Array, identity: RecordIdentity): void =>
    decodeUpdate(bytes, frame, identity, scratch, workspace, (at) => earlier.find(at, identity.client));

  const residuals = new Map<string, Uint8Array>();
  /** With feedback the record also makes up for the errors of earlier ones. */
  const encodeOwn = (client: string, update: Float32Array): Uint8Array => {
    if (feedback === undefined) return encode(client, update, false);
    const { parameterLength } = frame.layout;
    const target = withResidual(update, parameterLength, earlier.residual(client), feedback);
    const record = encode(client, target, false);
    const identity = { round, client };
    decode(record, identity);
    residuals.set(client, residualAfter(target, scratch, parameterLength, feedback, frame.key, identity));
    return record;
  };

  const isRelative = threshold.mode === "mean" || threshold.mode === "element";
  const mean =
    isRelative && present.length > 0 ? encode(MEAN, weightedMean(present, scratch), false) : undefined;
  const decodedMean = new Float32Array(mean ? frame.layout.length : 0);
  if (mean) decodeUpdate(mean, frame, { round, client: MEAN }, decodedMean);

  const entryOf = ({ client, weight, update }: Participant): RoundEntry => {
    const entry = { client, weight, reference: undefined, record: undefined };
    if (!update) return { ...entry, status: "absent" };
    if (!sampled.has(client)) return { ...entry, status: "unsampled" };
    if (threshold.mode === "none") return { ...entry, status: "stored", record: encodeOwn(client, update) };
    if (threshold.mode === "temporal") {
      const last = earlier.last(client);
      if (last) {
        decode(last.bytes, { round: last.round, client });
        if (!isFurther(update, scratch, threshold.tau)) {
          return { ...entry, status: "held", reference: last.round };
        }
      }
      return { ...entry, status: "stored", record: encode(client, update, false) };
    }
    if (threshold.mode === "mean" && !isFurther(update, decodedMean, threshold.tau)) {
      return { ...entry, status: "average" };
    }
    difference(update, decodedMean, frame.layout.parameterLength, scratch);
    const sparse = threshold.mode === "element";
    if (sparse) dropSmall(scratch, frame.layout.parameterLength, threshold.tau);
    return { ...entry, status: "stored", record: encode(client, scratch, sparse) };
  };
  return { round, entries: participants.map(entryOf), mean, residuals };
}

/** A round of which no update is stored, only who took part: for histories that keep sums alone. */
export function unrecordedRound(round: number, participants: readonly Participant[]): RoundEntries {
  checkParticipants(round, participants);
  const entries = participants.map(({ client, weight, update }): RoundEntry => {
    return {
      client,
      weight,
      status: update ? "unsampled" : "absent",
      reference: undefined,
      record: undefined,
    };
  });
  return { round, entries, mean: undefined };
}

function checkParticipants(round: number, participants: readonly Participant[]): void {
  const names = new Set(participants.map(({ client }) => client));
  const bad = participants.find(
    ({ client, weight }) => client === MEAN || !(weight > 0 && Number.isFinite(weight)),
  );
  if (names.size === participants.length && !bad) return;
  throw new LetheError(
    "usage",
    "USAGE_PARTICIPANTS",
    bad
      ? `Expected a name and a positive weight of each client in round ${round}, got "${bad.client}" with ${bad.weight}.`
      : `Expected distinct clients in round ${round}, got ${participants.length} with ${names.size} names.`,
    { details: { round } },
  );
}

function weightedMean(
  present: readonly { readonly weight: number; readonly update: Float32Array }[],
  out: Float32Array,
): Float32Array {
  const total = present.reduce((sum, { weight }) => sum + weight, 0);
  for (let index = 0; index < out.length; index++) {
    let sum = 0;
    for (const { weight, update } of present) sum += weight * (update[index] as number);
    out[index] = sum / total;
  }
  return out;
}

/** ‖update − reference‖ > τ ‖update‖ */
function isFurther(update: Float32Array, reference: Float32Array, tau: number): boolean {
  let distance = 0;
  let norm = 0;
  for (let index = 0; index < update.length; index++) {
    const value = update[index] as number;
    const gap = value - (reference[index] as number);
    distance += gap * gap;
    norm += value * value;
  }
  return distance > tau * tau * norm;
}

/** The parameters become differences; the buffers stay as they are, since they are kept exactly. */
function difference(
  update: Float32Array,
  mean: Float32Array,
  parameterLength: number,
  out: Float32Array,
): void {
  out.set(update);
  for (let index = 0; index < parameterLength; index++) {
    out[index] = (update[index] as number) - (mean[index] as number);
  }
}

/** Sets the elements with |D_i| ≤ τ·rms(D) to zero. */
function dropSmall(values: Float32Array, parameterLength: number, tau: number): void {
  let squares = 0;
  for (let index = 0; index < parameterLength; index++) squares += (values[index] as number) ** 2;
  const limit = tau * Math.sqrt(squares / Math.max(parameterLength, 1));
  for (let index = 0; index < parameterLength; index++) {
    if (Math.abs(values[index] as number) <= limit) values[index] = 0;
  }
}
