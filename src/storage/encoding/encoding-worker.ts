// The program of a worker thread of `workerEncoding`: codes one update after another.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { packError } from "../../kernel/packed-error.ts";
import { type EncodingHeader, onlyUpdate, roundEncoder } from "./record-encoding.ts";
import type { EncodingMessage, EncodingReply } from "./worker-encoding.ts";

const port = parentPort as MessagePort;
const encode = roundEncoder(workerData as EncodingHeader);

port.on("message", (message: EncodingMessage) => port.postMessage(work(message)));

function work({ participant, last, axes, residual, ...task }: EncodingMessage): EncodingReply {
  const earlier = {
    last: () => last,
    find: (round: number) => [last, axes].find((known) => known?.round === round)?.bytes,
    residual: () => residual,
  };
  try {
    return { coded: onlyUpdate(encode({ ...task, participants: [participant], earlier })) };
  } catch (error) {
    return { error: packError(error) };
  }
}
