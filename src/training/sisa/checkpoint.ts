import type { Samples } from "../../data/dataset.ts";
import { type Digest, digestArrays, digestJson } from "../../kernel/digest.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";

/** A shard's weights behind a slice, and everything they depend on. */
export interface SisaCheckpoint {
  readonly weights: ParameterSet;
  /** Digest of settings, key and all samples up to this slice: weights of one recipe are bit-identical. */
  readonly recipe: Digest;
}

/** Where checkpoints are kept; given by an outer ring. Shards and slices count from 0. */
export interface SisaCheckpoints {
  /** What was written last in this place, if anything. */
  read(shard: number, slice: number): SisaCheckpoint | undefined | Promise<SisaCheckpoint | undefined>;
  /** Takes the place of what was there, whose weights may depend on samples that must be forgotten. */
  write(shard: number, slice: number, checkpoint: SisaCheckpoint): void | Promise<void>;
}

/** The recipe behind one more slice: the recipe so far with the ids, features and labels of its samples. */
export function recipeWith(before: Digest, slice: Samples): Digest {
  const positions = Uint32Array.from({ length: slice.count }, (_, position) => position);
  const features = new Float32Array(slice.count * slice.featureLength);
  slice.gather(positions, features);
  const { targets } = slice;
  const answers = new BigInt64Array(
    slice.count * (targets?.shape.reduce((product, size) => product * size, 1) ?? 0),
  );
  targets?.gather(positions, answers);
  const contents = digestArrays(
    new Map<string, ArrayBufferView>([
      ["features", features],
      ["labels", slice.labels],
      ["targets", answers],
    ]),
  );
  return digestJson({ before, ids: Array.from(positions, (position) => slice.id(position)), contents });
}
