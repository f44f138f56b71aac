import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { LetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { encodeTensors } from "../../storage/safetensors.ts";
import { memorySchema } from "./step-memory.ts";
import type { SampleBatch } from "./step-sample.ts";

/** Frameworks measured beside Lethe, and the scripts that do it. */
export const PEERS = { pytorch: "torch_step.py", jax: "jax_step.py" } as const;

/** One of {@link PEERS}. */
export type Peer = keyof typeof PEERS;

/** What a peer computes, and what it has to agree with before its time counts. */
export interface PeerJob {
  readonly architecture: Architecture;
  readonly weights: ParameterSet;
  readonly gradients: ParameterSet;
  readonly batch: SampleBatch;
  readonly batchSize: number;
  readonly threads: number;
  readonly steps: number;
  readonly learningRate: number;
}

const runSchema = memorySchema.extend({
  version: z.string(),
  gradientError: z.number().min(0),
  firstStepMs: z.number().positive(),
  msPerStep: z.array(z.number().positive()).min(1),
});

/** Exit codes of the scripts, as `bench/peers/job.py` has them. */
const NOT_INSTALLED = 3;
const FOLDER = join(import.meta.dirname, "../../../bench/peers");
/** Relative distance of all gradients together; float32 sums in another order differ by less. */
const MAX_GRADIENT_ERROR = 1e-3;
/**
 * The same where many ReLUs lie behind one another: of a million numbers that differ by 1e-6 some few pass zero, and each takes
 * its whole gradient with it. Two orders of summation of one framework differ by as much.
 */
const MAX_GRADIENT_ERROR_DEEP_RELU = 1e-2;
const DEEP_RELU = /^(resnet|vgg|all-cnn)/;

/**
 * The same steps in another framework, in a process of its own.
 *
 * @param python - a Python that may have the framework
 * @returns its times; `undefined` where it is not installed, or this is an installed package, which has no scripts
 * @throws LETHE_USAGE_PEER when Python or the script fails; LETHE_NUMERIC_PEER when the gradients are others
 */
export async function runPeer(
  peer: Peer,
  python: string,
  job: PeerJob,
  signal?: AbortSignal,
): Promise<z.output<typeof runSchema> | undefined> {
  const script = join(FOLDER, PEERS[peer]);
  if (!existsSync(script)) return undefined;
  const place = mkdtempSync(join(tmpdir(), "lethe-bench-"));
  try {
    const path = join(place, "job.safetensors");
    writeFileSync(path, jobFile(job));
    const { stdout } = await promisify(execFile)(python, [script, path], { ...(signal && { signal }) });
    const run = runSchema.parse(JSON.parse(stdout));
    const limit = DEEP_RELU.test(job.architecture.id) ? MAX_GRADIENT_ERROR_DEEP_RELU : MAX_GRADIENT_ERROR;
    if (run.gradientError <= limit) return run;
    throw new LetheError(
      "numeric",
      "NUMERIC_PEER",
      `Expected gradients of \`${job.architecture.id}\` within ${limit} of Lethe's in ${run.version}, got ${run.gradientError}.`,
    );
  } catch (cause) {
    if (cause instanceof LetheError) throw cause;
    const { code, stderr } = cause as { readonly code?: unknown; readonly stderr?: string };
    if (code === NOT_INSTALLED) return undefined;
    const reason = stderr?.trim().split("\n").at(-1) || (cause as Error).message;
    throw new LetheError(
      "usage",
      "USAGE_PEER",
      `Expected ${python} to run ${PEERS[peer]} for \`${job.architecture.id}\`, got: ${reason}`,
      { cause },
    );
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function jobFile({ architecture, weights, gradients, batch, batchSize, ...settings }: PeerJob): Uint8Array {
  const trained = architecture.weights.filter(({ role }) => role === "parameter");
  const of = (group: string, values: ParameterSet) =>
    trained.map(
      ({ name, shape }) => [`${group}:${name}`, { shape, data: values.get(name) as Float32Array }] as const,
    );
  const { inputShape, labelShape, inputType, id } = architecture;
  const labels = Float32Array.from(batch.labels, Number);
  return encodeTensors({
    tensors: new Map([
      ...of("weight", weights),
      ...of("grad", gradients),
      ["batch:input", { shape: [batchSize, ...inputShape], data: batch.features }] as const,
      ["batch:labels", { shape: [batchSize, ...labelShape], data: labels }] as const,
    ]),
    metadata: {
      model: id,
      inputType,
      threads: String(settings.threads),
      steps: String(settings.steps),
      learningRate: String(settings.learningRate),
    },
  });
}
