import { z } from "zod";
import type { TrainingJob } from "../training-job.ts";

const messageSchema = z.strictObject({
  /** Samples of the farm's data. */
  count: z.int().min(1),
  /** One bit a sample, the first in the lowest bit of the first byte. */
  subset: z.base64(),
  seed: z.union([z.number(), z.string()]),
});

/** A job as it stands in a queue: one bit a sample, since half of 60,000 positions in words would be 180 kB a job. */
export type JobMessage = z.output<typeof messageSchema>;

/** @param count - samples of the farm's data */
export function writeJob({ subset, seed }: TrainingJob, count: number): JobMessage {
  const bits = Buffer.alloc(Math.ceil(count / 8));
  for (const position of subset)
    bits[position >> 3] = (bits[position >> 3] as number) | (1 << (position & 7));
  return { count, subset: bits.toString("base64"), seed };
}

/** @throws a ZodError for anything {@link writeJob} did not write */
export function readJob(message: unknown): TrainingJob {
  const { count, subset, seed } = messageSchema.parse(message);
  const bits = Buffer.from(subset, "base64");
  const positions: number[] = [];
  for (let position = 0; position < count; position++) {
    if (((bits[position >> 3] as number) >> (position & 7)) & 1) positions.push(position);
  }
  return { subset: Uint32Array.from(positions), seed };
}
