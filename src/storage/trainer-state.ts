import { LetheError } from "../kernel/errors.ts";
import type { TrainerState } from "../training/objective.ts";
import { decodeTensors, encodeTensors } from "./safetensors.ts";

/** Encodes everything a resumed training run needs, with the digest of the recipe it belongs to. */
export function encodeState(state: TrainerState, recipe: string): Uint8Array {
  const named = [
    ...[...state.weights].map(([name, data]) => [`weight/${name}`, data] as const),
    ...[...state.optimizer].map(([name, data]) => [`optimizer/${name}`, data] as const),
  ];
  return encodeTensors({
    tensors: new Map(named.map(([name, data]) => [name, { shape: [data.length], data }])),
    metadata: { recipe, step: String(state.step) },
  });
}

/**
 * Reads what {@link encodeState} wrote.
 *
 * @param name - what the bytes are called in errors
 * @throws LETHE_DATA_SAFETENSORS, LETHE_DATA_CHECKPOINT
 */
export function decodeState(
  bytes: Uint8Array,
  name: string,
): { readonly state: TrainerState; readonly recipe: string } {
  const { tensors, metadata } = decodeTensors(bytes, name);
  const { recipe } = metadata;
  const step = /^\d+$/.test(metadata.step ?? "") ? Number(metadata.step) : Number.NaN;
  if (!Number.isSafeInteger(step) || recipe === undefined) {
    throw new LetheError(
      "data",
      "DATA_CHECKPOINT",
      `Expected a training checkpoint in ${name}, got another file.`,
    );
  }
  const pick = (prefix: string): Map<string, Float32Array> =>
    new Map(
      [...tensors]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, { data }]) => [key.slice(prefix.length), data]),
    );
  return {
    state: { weights: pick("weight/"), optimizer: pick("optimizer/"), step },
    recipe,
  };
}
