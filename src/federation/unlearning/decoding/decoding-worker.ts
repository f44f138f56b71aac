// The program of a worker thread of `workerDecoding`: takes entries of a round until none is left.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { packError } from "../../../kernel/packed-error.ts";
import { type DecodingHeader, roundOpener } from "./round-decoding.ts";
import type { DecodingReply, DecodingTask } from "./worker-decoding.ts";

const port = parentPort as MessagePort;
const open = roundOpener(workerData as DecodingHeader);

port.on("message", (task: DecodingTask) => port.postMessage(work(task)));

function work({ id, round, out, next }: DecodingTask): DecodingReply {
  const take = (): number => Atomics.add(next, 0, 1);
  const decodeEntry = open(round, out);
  for (let index = take(); index < round.entries.length; index = take()) {
    try {
      decodeEntry(index);
    } catch (error) {
      Atomics.store(next, 0, round.entries.length);
      return { id, failure: { index, error: packError(error) } };
    }
  }
  return { id, failure: undefined };
}
