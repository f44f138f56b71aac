import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestArrays } from "../../kernel/digest.ts";
import { isLetheError, LetheError } from "../../kernel/errors.ts";
import type { ParameterSet } from "../../kernel/parameters.ts";
import type { Architecture } from "../../models/architecture.ts";
import { writeFileAtomically } from "../../storage/atomic-file.ts";
import { decodeTensors, encodeTensors } from "../../storage/safetensors.ts";
import { decodeState, encodeState } from "../../storage/trainer-state.ts";
import type { TrainerState } from "../../training/objective.ts";

/** Trained models in a directory, one safetensors file each, named by the digest of the job that made it. */
export interface ModelStore {
  /** The model of a job; `undefined` when there is none, `damaged` when its file is not what was written. */
  read(job: Digest): ParameterSet | "damaged" | undefined;
  /** The model of a job that was done. @throws LETHE_TRANSIENT_STORE when it is not there whole any more */
  require(job: Digest): ParameterSet;
  write(job: Digest, architecture: Architecture, weights: ParameterSet): void;
  /** The bytes of a job's model, for another store; `undefined` when there is none. */
  file(job: Digest): Uint8Array | undefined;
  /** Keeps a file of another store. @returns false, and keeps nothing, where it is not the whole model of the job */
  adopt(job: Digest, file: Uint8Array): boolean;
  /** How far an interrupted training of the job had come. */
  readProgress(job: Digest): TrainerState | undefined;
  writeProgress(job: Digest, state: TrainerState): void;
}

/** Opens the store in a directory, which need not exist yet. Several processes may use it at once: a job has one result. */
export function openModelStore(directory: string): ModelStore {
  const pathOf = (job: Digest, extension: string): string => {
    const name = job.slice("sha256:".length);
    // Two letters a folder: file browsers and file systems are slow with thousands of files in one.
    return join(directory, name.slice(0, 2), `${name}.${extension}`);
  };
  const modelPath = (job: Digest): string => pathOf(job, "safetensors");
  const progressPath = (job: Digest): string => pathOf(job, "progress.safetensors");
  const read = (job: Digest): ParameterSet | "damaged" | undefined => {
    const path = modelPath(job);
    return existsSync(path) ? (decoded(job, readFileSync(path)) ?? "damaged") : undefined;
  };
  return {
    read,
    require(job) {
      const weights = read(job);
      if (typeof weights === "object") return weights;
      throw new LetheError(
        "transient",
        "TRANSIENT_STORE",
        `Expected the model just trained in ${directory}, found none. Was the directory emptied meanwhile? Run again.`,
      );
    },
    file(job) {
      const path = modelPath(job);
      return existsSync(path) ? readFileSync(path) : undefined;
    },
    adopt(job, file) {
      if (decoded(job, file) === undefined) return false;
      writeFileAtomically(modelPath(job), file);
      return true;
    },
    write(job, architecture, weights) {
      const tensors = new Map(
        architecture.weights.map(
          ({ name, shape }) => [name, { shape, data: weights.get(name) as Float32Array }] as const,
        ),
      );
      const digest = digestArrays(new Map([...tensors].map(([name, { data }]) => [name, data])));
      writeFileAtomically(modelPath(job), encodeTensors({ tensors, metadata: { job, digest } }));
      rmSync(progressPath(job), { force: true });
    },
    readProgress(job) {
      const path = progressPath(job);
      if (!existsSync(path)) return undefined;
      const progress = unlessDamaged(() => decodeState(readFileSync(path), path));
      return progress?.recipe === job ? progress.state : undefined;
    },
    writeProgress: (job, state) => writeFileAtomically(progressPath(job), encodeState(state, job)),
  };
}

/** The weights in a file; `undefined` when it is not what was written for the job. */
function decoded(job: Digest, bytes: Uint8Array): ParameterSet | undefined {
  const file = unlessDamaged(() => decodeTensors(bytes, job));
  if (file === undefined || file.metadata.job !== job) return undefined;
  const weights = new Map([...file.tensors].map(([name, { data }]) => [name, data]));
  return digestArrays(weights) === file.metadata.digest ? weights : undefined;
}

/** What `read` gives; nothing where the file's content is at fault: a cache is then filled again. */
function unlessDamaged<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (isLetheError(error, "data")) return undefined;
    throw error;
  }
}
