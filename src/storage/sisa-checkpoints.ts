import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import type { SisaCheckpoints } from "../training/sisa/checkpoint.ts";
import type { SisaConfig } from "../training/sisa/config.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { decodeTensors, encodeTensors } from "./safetensors.ts";

/** Where a run directory keeps them. */
export const SHARDS_FOLDER = "shards";

/**
 * Checkpoints of sharded training as files `shard-S/slice-R.safetensors` (counted from 1) in a directory. Each is written
 * whole, so that a killed run goes on behind the last slice it finished.
 */
export function sisaCheckpointFiles(directory: string): SisaCheckpoints {
  return {
    read(shard, slice) {
      const path = pathIn(directory, shard, slice);
      if (!existsSync(path)) return undefined;
      const { tensors, metadata } = decodeTensors(readFileSync(path), path);
      if (metadata.recipe === undefined) {
        throw new LetheError(
          "data",
          "DATA_CHECKPOINT",
          `Expected a checkpoint of sharded training in ${path}, got another file. Choose another directory.`,
          { details: { file: path } },
        );
      }
      return {
        weights: new Map([...tensors].map(([name, { data }]) => [name, data])),
        recipe: metadata.recipe as Digest,
      };
    },
    write(shard, slice, { weights, recipe }) {
      const tensors = new Map([...weights].map(([name, data]) => [name, { shape: [data.length], data }]));
      writeFileAtomically(pathIn(directory, shard, slice), encodeTensors({ tensors, metadata: { recipe } }));
    },
  };
}

/** Checkpoints of an unlearned model beside those of the model it comes from. */
export interface DerivedCheckpoints {
  /** Reads what is new, else what was; writes what is new. */
  readonly checkpoints: SisaCheckpoints;
  /** Copies what the unlearning left as it was, so that the new directory stands alone. */
  copyRest(division: Pick<SisaConfig, "shards" | "slices">): void;
}

/**
 * Goes on from the checkpoints in one directory in another, and leaves the first as it is.
 *
 * @param from - of the trained model
 * @param to - of the unlearned one
 */
export function sisaCheckpointsFrom(from: string, to: string): DerivedCheckpoints {
  const [before, after] = [sisaCheckpointFiles(from), sisaCheckpointFiles(to)];
  return {
    checkpoints: {
      read: async (shard, slice) => (await after.read(shard, slice)) ?? before.read(shard, slice),
      write: after.write,
    },
    copyRest({ shards, slices }) {
      for (let place = 0; place < shards * slices; place++) {
        const [shard, slice] = [Math.floor(place / slices), place % slices];
        const [source, target] = [pathIn(from, shard, slice), pathIn(to, shard, slice)];
        if (existsSync(target)) continue;
        mkdirSync(dirname(target), { recursive: true });
        copyFileSync(source, target);
      }
    },
  };
}

function pathIn(directory: string, shard: number, slice: number): string {
  return join(directory, `shard-${shard + 1}`, `slice-${slice + 1}.safetensors`);
}
