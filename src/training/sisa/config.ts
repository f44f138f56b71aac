import { z } from "zod";
import { optimizerSchema } from "../optimizers.ts";

/** Settings of sharded and sliced training; the only place where their defaults live. */
export const sisaSchema = z.strictObject({
  shards: z.int().min(1).default(5).describe("models, each trained on its own part of the samples"),
  slices: z.int().min(1).default(4).describe("parts of a shard, added one after another"),
  epochs: z
    .int()
    .min(1)
    .default(5)
    .describe("passes over a shard whose work the slices share: each slice has 2·epochs/(slices + 1)"),
  batchSize: z.int().min(1).default(64),
  learningRate: z.number().positive().default(0.02),
  optimizer: optimizerSchema.prefault({ id: "sgd", momentum: 0.9 }),
});

/** How samples are divided; the rest of the settings are those of all training. */
export const divisionSchema = sisaSchema.pick({ shards: true, slices: true });

/** Settings with nothing left out. */
export type SisaConfig = z.output<typeof sisaSchema>;

/**
 * Passes over everything up to a slice, so that all slices together cost as much as `epochs` passes over the whole shard.
 * Source: Bourtoule et al. (2019), arXiv 1912.03817, section IV-B (e = 2e′/(R + 1)); rounded, at least 1.
 */
export function epochsPerSlice({ epochs, slices }: SisaConfig): number {
  return Math.max(1, Math.round((2 * epochs) / (slices + 1)));
}
