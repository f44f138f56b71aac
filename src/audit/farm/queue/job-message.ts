import { z } from "zod";
import type { TrainingJob } from "../training-job.ts";

const messageSchema = z.strictObject({
  /** Samples of the farm's data. */
  count: z.int().min(1),
  /** One bit a sample, the first in the lowest bit of the first byte. */
  subset: z.base64(),
  seed: z.union([z.number(), z.string()]),
  unlearn: z
    .strictObject({
      method: z.string(),
      settings: z.record(z.string(), z.json()),
      scope: z.enum(["class", "sample", "subject", "group"]),
      /** As `subset`. */
      forget: z.base64(),
    })
    .optional(),
});

/** A job as it stands in a queue: one bit a sample, since half of 60,000 positions in words would be 180 kB a job. */
export type JobMessage = z.output<typeof messageSchema>;

/** @param count - samples of the farm's data */
export function writeJob({ subset, seed, unlearn }: TrainingJob, count: number): JobMessage {
  return messageSchema.parse({
    count,
    subset: writePositions(subset, count),
    seed,
    ...(unlearn && { unlearn: { ...unlearn, forget: writePositions(unlearn.forget, count) } }),
  });
}

/** @throws a ZodError for anything {@link writeJob} did not write */
export function readJob(message: unknown): TrainingJob {
  const { count, subset, seed, unlearn } = messageSchema.parse(message);
  return {
    subset: readPositions(subset, count),
    seed,
    ...(unlearn && { unlearn: { ...unlearn, forget: readPositions(unlearn.forget, count) } }),
  };
}

function writePositions(positions: Uint32Array, count: number): string {
  const bits = Buffer.alloc(Math.ceil(count / 8));
  for (const position of positions)
    bits[position >> 3] = (bits[position >> 3] as number) | (1 << (position & 7));
  return bits.toString("base64");
}

function readPositions(text: string, count: number): Uint32Array {
  const bits = Buffer.from(text, "base64");
  const positions = Array.from({ length: count }, (_, position) => position);
  return Uint32Array.from(
    positions.filter((position) => ((bits[position >> 3] as number) >> (position & 7)) & 1),
  );
}
