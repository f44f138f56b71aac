import { LetheError } from "../kernel/errors.ts";
import type { ParameterSet } from "../kernel/parameters.ts";
import type { Checkpoint } from "../methods/contract.ts";
import { decodeTensors, encodeTensors } from "./safetensors.ts";

/** Encodes where a method stands, with the digest of the request it belongs to. */
export function encodeCheckpoint({ stage, epoch, state, carried }: Checkpoint, recipe: string): Uint8Array {
  const parts: readonly (readonly [string, ParameterSet])[] = [
    ["weight", state.weights],
    ["optimizer", state.optimizer],
    ["carried", carried],
  ];
  return encodeTensors({
    tensors: new Map(
      parts.flatMap(([part, set]) =>
        [...set].map(([name, data]) => [`${part}/${name}`, { shape: [data.length], data }] as const),
      ),
    ),
    metadata: { recipe, stage: String(stage), epoch: String(epoch), step: String(state.step) },
  });
}

/**
 * Reads what {@link encodeCheckpoint} wrote.
 *
 * @param name - what the bytes are called in errors
 * @throws LETHE_DATA_SAFETENSORS, LETHE_DATA_CHECKPOINT
 */
export function decodeCheckpoint(
  bytes: Uint8Array,
  name: string,
): { readonly checkpoint: Checkpoint; readonly recipe: string } {
  const { tensors, metadata } = decodeTensors(bytes, name);
  const [stage, epoch, step] = [metadata.stage, metadata.epoch, metadata.step].map((text) =>
    /^\d+$/.test(text ?? "") ? Number(text) : undefined,
  );
  const { recipe } = metadata;
  if (stage === undefined || epoch === undefined || step === undefined || recipe === undefined) {
    throw new LetheError(
      "data",
      "DATA_CHECKPOINT",
      `Expected a checkpoint of a method in ${name}, got another file.`,
    );
  }
  const pick = (part: string): ParameterSet =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(`${part}/`))
        .map(([key, { data }]) => [key.slice(part.length + 1), data]),
    );
  return {
    checkpoint: {
      stage,
      epoch,
      state: { weights: pick("weight"), optimizer: pick("optimizer"), step },
      carried: pick("carried"),
    },
    recipe,
  };
}
