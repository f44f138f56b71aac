import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Digest, digestArrays } from "../../kernel/digest.ts";
import { isLetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { decodeTensors, encodeTensors } from "../../storage/safetensors.ts";

const factsSchema = z.strictObject({
  settings: z.record(z.string(), z.unknown()),
  seconds: z.number(),
  gradientEvaluations: z.number(),
  preparation: z.strictObject({ seconds: z.number(), bytes: z.number() }).optional(),
  stop: z.string().optional(),
});

/** What one method made of one model, and what it took. */
export interface FinishedCell extends z.output<typeof factsSchema> {
  readonly weights: ParameterSet;
  readonly digest: Digest;
}

/** Finished cells in a directory, one safetensors file each: a comparison that was interrupted goes on with what is missing. */
export interface CellStore {
  /** `undefined` where there is none, or its file is not what was written. */
  read(cell: Digest): FinishedCell | undefined;
  write(cell: Digest, architecture: Architecture, finished: Omit<FinishedCell, "digest">): void;
}

/** Opens the store in a directory, which need not exist yet. Several processes may use it at once: a cell has one result. */
export function openCellStore(directory: string): CellStore {
  const pathOf = (cell: Digest): string => join(directory, `${cell.slice("sha256:".length)}.safetensors`);
  return {
    read(cell) {
      const path = pathOf(cell);
      if (!existsSync(path)) return undefined;
      try {
        const { tensors, metadata } = decodeTensors(readFileSync(path), path);
        const weights = new Map([...tensors].map(([name, { data }]) => [name, data]));
        const digest = digestArrays(weights);
        if (metadata.cell !== cell || metadata.digest !== digest) return undefined;
        return { ...factsSchema.parse(JSON.parse(metadata.facts ?? "")), weights, digest };
      } catch (error) {
        // A cache whose file is at fault is filled again.
        if (isLetheError(error, "data") || error instanceof z.ZodError || error instanceof SyntaxError) {
          return undefined;
        }
        throw error;
      }
    },
    write(cell, { weights: layout }, { weights, ...facts }) {
      const tensors = new Map(
        layout.map(({ name, shape }) => [name, { shape, data: weights.get(name) as Float32Array }] as const),
      );
      const metadata = { cell, digest: digestArrays(weights), facts: JSON.stringify(facts) };
      writeFileAtomically(pathOf(cell), encodeTensors({ tensors, metadata }));
    },
  };
}
