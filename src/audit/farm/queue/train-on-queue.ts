import type { Digest } from "../../../kernel/digest.ts";
import { throwIfCancelled } from "../../../kernel/errors.ts";
import type { LetheEvent, Progress } from "../../../kernel/events.ts";
import { unpackError } from "../../../kernel/packed-error.ts";
import { openModelStore } from "../model-store.ts";
import { type FarmHeader, jobDigest, stepsOf, type TrainingJob } from "../training-job.ts";
import { type FarmDatabase, openFarmDatabase } from "./farm-database.ts";
import { describeFarm, farmName } from "./farm-description.ts";
import { writeJob } from "./job-message.ts";
import { pause } from "./pause.ts";
import type { QueueOptions } from "./queue-options.ts";

/** Between two looks at the database: short beside the training of a model. */
const LOOK_EVERY_MS = 500;
/** Files of models read at a time: a large model must not fill the memory a hundred times. */
const FILES_AT_ONCE = 4;

/**
 * Has models trained by the workers at a database, and copies them into the local store. Jobs are known by their digests: what others have
 * asked for or trained already is not trained again, a worker's death gives its job to the next, and when this process is killed its jobs
 * stand until it comes back for them.
 *
 * @param jobs - all different, none in the store
 * @yields `step` events over all models, with the number of finished ones and of workers
 * @throws LETHE_CANCELLED (jobs nobody else waits for are dropped), LETHE_TRANSIENT_DATABASE, LETHE_TRANSIENT_WRITE, and what training throws
 */
export async function* trainOnQueue(
  header: FarmHeader,
  jobs: readonly TrainingJob[],
  options: {
    readonly store: string;
    readonly queue: QueueOptions;
    readonly signal?: AbortSignal | undefined;
  },
): Progress<void> {
  const { queue, signal } = options;
  const store = openModelStore(options.store);
  const description = describeFarm(header, queue);
  const farm = farmName(description);
  const byDigest = new Map(jobs.map((job) => [jobDigest(header, job), job]));
  const total = jobs.reduce((sum, job) => sum + stepsOf(header, job), 0);
  const missing = new Set(byDigest.keys());
  const stepsOfJobs = (digests: Iterable<Digest>): number =>
    [...digests].reduce((sum, digest) => sum + stepsOf(header, byDigest.get(digest) as TrainingJob), 0);
  await using database = await openFarmDatabase(queue.url, "coordinator");
  const ask = (): Promise<void> =>
    database.want(
      farm,
      description,
      [...missing].map((job) => ({
        job,
        message: writeJob(byDigest.get(job) as TrainingJob, header.data.count),
      })),
    );
  try {
    await fetchModels(database, store, missing);
    await ask();
    let isAlone = false;
    while (missing.size > 0) {
      throwIfCancelled(signal);
      const failure = await database.failure([...missing]);
      if (failure !== undefined) throw unpackError(failure);
      await database.releaseLost();
      const damaged = await fetchModels(database, store, missing);
      // What arrived broken has to be trained again.
      if (damaged > 0) await ask();
      const workers = await database.workers();
      if (workers === 0 && !isAlone) yield nobodyThere(missing.size);
      isAlone = workers === 0;
      const running = await database.steps([...missing]);
      const reached =
        total - stepsOfJobs(missing) + [...running.values()].reduce((sum, step) => sum + step, 0);
      yield {
        type: "step",
        step: reached,
        of: total,
        scalars: { models: `${jobs.length - missing.size} of ${jobs.length}`, workers },
      } satisfies LetheEvent;
      if (missing.size > 0) await pause(LOOK_EVERY_MS, signal);
    }
  } finally {
    // After a lost connection there is nobody to tell; the jobs then stand.
    if (missing.size > 0) await database.withdraw([...missing]).catch(() => {});
  }
}

/** Copies what is there into the store. @returns how many files were not what was written; they are gone from the database */
async function fetchModels(
  database: FarmDatabase,
  store: ReturnType<typeof openModelStore>,
  missing: Set<Digest>,
): Promise<number> {
  let damaged = 0;
  for (;;) {
    const found = await database.models([...missing], FILES_AT_ONCE);
    for (const { job, file } of found) {
      if (store.adopt(job, file)) missing.delete(job);
      else {
        damaged++;
        await database.forgetModel(job);
      }
    }
    if (found.length < FILES_AT_ONCE) return damaged;
  }
}

function nobodyThere(models: number): LetheEvent {
  return {
    type: "notice",
    code: "FARM_EMPTY",
    message:
      "Nobody works at this farm yet. Start `lethe work --farm …` with the same address, on as many machines as you like.",
    details: { models },
  };
}
