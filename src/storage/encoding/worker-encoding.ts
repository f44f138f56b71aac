import type { Worker } from "node:worker_threads";
import { type CodecConfig, leansOnEarlier } from "../../history/config.ts";
import type { Participant } from "../../history/encode-round.ts";
import { readRecord } from "../../history/record.ts";
import { LetheError } from "../../kernel/errors.ts";
import { type PackedError, unpackError } from "../../kernel/packed-error.ts";
import { startWorkerThread } from "../../runtime/worker-thread.ts";
import {
  type CodedUpdate,
  type EncodingHeader,
  type RecordEncoding,
  roundEncoder,
  type UpdateTask,
} from "./record-encoding.ts";

interface KnownRecord {
  readonly round: number;
  readonly bytes: Uint8Array;
}

/** An update as a worker gets it, with all it can need of earlier ones. */
export interface EncodingMessage {
  readonly round: number;
  readonly participant: Participant;
  readonly rate: CodecConfig["rate"] | undefined;
  readonly last: KnownRecord | undefined;
  /** The record whose axes the last one was turned to. */
  readonly axes: KnownRecord | undefined;
  readonly residual: Uint8Array | undefined;
}

/** What a worker answers, in the order it was asked. */
export type EncodingReply = { readonly coded: CodedUpdate } | { readonly error: PackedError };

/** A worker and what it owes. */
interface Hand {
  readonly worker: Worker;
  readonly owed: {
    readonly resolve: (coded: CodedUpdate) => void;
    readonly reject: (error: Error) => void;
  }[];
}

/**
 * Codes in worker threads, one update at a time in each and one more waiting for the next. Gives the bytes of `inlineEncoding`.
 * Workers without work keep no process alive.
 *
 * @param workers - ≥ 1
 */
export function workerEncoding({ layout, key, codec }: EncodingHeader, workers: number): RecordEncoding {
  const header: EncodingHeader = { layout, key, codec };
  const hands = Array.from({ length: workers }, (): Hand => {
    return {
      worker: startWorkerThread({ beside: import.meta.url, name: "encoding-worker", data: header }),
      owed: [],
    };
  });
  const waiting: (() => void)[] = [];
  /** Updates on their way to a worker, in shared memory: copies in messages would be garbage of their size each time. */
  const spare: Float32Array[] = [];
  let lost: LetheError | undefined;

  /** Ends all workers, also when one was lost: without it what is owed would be waited for for ever. */
  const end = async (cause?: unknown): Promise<void> => {
    lost ??= workerLost(cause);
    for (const { owed } of hands) for (const { reject } of owed.splice(0)) reject(lost);
    for (const go of waiting.splice(0)) go();
    await Promise.all(hands.map(({ worker }) => worker.terminate()));
  };
  for (const { worker, owed } of hands) {
    worker.unref();
    worker.on("message", (reply: EncodingReply) => {
      const order = owed.shift();
      if (owed.length === 0) worker.unref();
      if ("coded" in reply) order?.resolve(reply.coded);
      else order?.reject(unpackError(reply.error));
      waiting.shift()?.();
    });
    worker.on("error", end);
    worker.on("exit", () => end());
  }
  const total = (): number => hands.reduce((sum, { owed }) => sum + owed.length, 0);

  return {
    room() {
      if (lost !== undefined || total() <= workers) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
    encode(task) {
      return new Promise((resolve, reject) => {
        if (lost !== undefined) return reject(lost);
        const { worker, owed } = hands.reduce((a, b) => (b.owed.length < a.owed.length ? b : a));
        const { update } = task.participant;
        // A length that does not fit is for the codec to refuse.
        const isWhole = update?.length === layout.length;
        const shared = isWhole ? (spare.pop() ?? sharedFloats(layout.length)) : update;
        if (isWhole) shared?.set(update);
        const giveBack = (): void => {
          if (isWhole && shared !== undefined) spare.push(shared);
        };
        owed.push({
          resolve: (coded) => {
            giveBack();
            resolve(coded);
          },
          reject: (error) => {
            giveBack();
            reject(error);
          },
        });
        worker.ref();
        const participant = { ...task.participant, update: shared };
        worker.postMessage(messageOf({ ...task, participant }, codec));
      });
    },
    encodeRound: roundEncoder(header),
    [Symbol.asyncDispose]: () => end(),
  };
}

function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}

function messageOf({ round, participant, rate, earlier }: UpdateTask, codec: CodecConfig): EncodingMessage {
  const { client } = participant;
  const last = earlier.last(client);
  const axesRound =
    last && leansOnEarlier(codec)
      ? readRecord(last.bytes, { round: last.round, client }).stages.reference?.round
      : undefined;
  const bytes = axesRound === undefined ? undefined : earlier.find(axesRound, client);
  return {
    round,
    participant,
    rate,
    last,
    axes: bytes && axesRound !== undefined ? { round: axesRound, bytes } : undefined,
    residual: codec.feedback && earlier.residual(client),
  };
}

function workerLost(cause: unknown): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    "Expected worker threads to code updates, but they have ended. If memory is short, use none; do not write to a history " +
      "that was closed.",
    { cause },
  );
}
