import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../kernel/digest.ts";
import { LetheError } from "../kernel/errors.ts";
import type { SisaCheckpoints } from "../training/sisa/checkpoint.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { decodeTensors, encodeTensors } from "./safetensors.ts";

/**
 * Checkpoints of sharded training as files `shard-S/slice-R.safetensors` (counted from 1) in a directory. Each is written
 * whole, so that a killed run goes on behind the last slice it finished.
 */
export function sisaCheckpointFiles(directory: string): SisaCheckpoints {
  const pathOf = (shard: number, slice: number): string =>
    join(directory, `shard-${shard + 1}`, `slice-${slice + 1}.safetensors`);
  return {
    read(shard, slice) {
      const path = pathOf(shard, slice);
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
      writeFileAtomically(pathOf(shard, slice), encodeTensors({ tensors, metadata: { recipe } }));
    },
  };
}
