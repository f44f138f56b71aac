import { LetheError } from "../kernel/errors.ts";
import type { CodecConfig } from "./config.ts";
import type { RoundEntries, RoundEntry } from "./entry.ts";
import { readRecord } from "./record.ts";
import { sampleClients } from "./sampling.ts";
import { type CodecFrame, decodeUpdate, type EncodeOptions, encodeUpdate } from "./update-codec.ts";

/** A client of a round, with its update unless it gave none. */
export interface Participant {
  readonly client: string;
  /** Weight in the aggregate, such as the number of samples; above 0. */
  readonly weight: number;
  /** [layout.length], or undefined for a client that was asked and did not answer. */
  readonly update: Float32Array | undefined;
}

/** Finds a client's last record, which thresholding compares with and rate control starts from. */
export type LastRecord = (
  client: string,
) => { readonly round: number; readonly bytes: Uint8Array } | undefined;

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
  lastRecord: LastRecord,
): RoundEntries {
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
  const { threshold, quantiser, rate, dither, coder } = config;
  const base: EncodeOptions = { quantiser, rate, dither, coder };
  const scratch = new Float32Array(frame.layout.length);

  const encode = (client: string, update: Float32Array, sparse: boolean): Uint8Array => {
    const last = lastRecord(client);
    const previous = last && readRecord(last.bytes, { round: last.round, client });
    const options = { ...base, sparse, ...(previous ? { previous } : {}) };
    return encodeUpdate(update, frame, { round, client }, options).record;
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
    if (threshold.mode === "none")
      return { ...entry, status: "stored", record: encode(client, update, false) };
    if (threshold.mode === "temporal") {
      const last = lastRecord(client);
      if (last) {
        decodeUpdate(last.bytes, frame, { round: last.round, client }, scratch);
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
  return { round, entries: participants.map(entryOf), mean };
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
