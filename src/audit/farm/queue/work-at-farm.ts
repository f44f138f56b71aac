import { loadParts } from "../../../data/load-parts.ts";
import { isLetheError } from "../../../kernel/errors.ts";
import type { LetheEvent, Progress } from "../../../kernel/events.ts";
import { createInbox, type Inbox } from "../../../kernel/inbox.ts";
import { packError } from "../../../kernel/packed-error.ts";
import { openModelStore } from "../model-store.ts";
import { shareSamples } from "../shared-samples.ts";
import { startTrainerThread, type TrainerThread } from "../trainer-thread.ts";
import { FARM_VERSION, type FarmHeader } from "../training-job.ts";
import { type FarmDatabase, openFarmDatabase, type TakenJob } from "./farm-database.ts";
import { farmDescriptionSchema, modelOf } from "./farm-description.ts";
import { readJob } from "./job-message.ts";
import { pause } from "./pause.ts";

/** Between two looks for work, and between two signs that a job goes on. */
const LOOK_EVERY_MS = 500;
const BEAT_EVERY_MS = 2000;

/** How a worker works. */
export interface WorkOptions {
  readonly url: string;
  /** As in the coordinators' options: farms of another engine are left to others. */
  readonly engine: string;
  /** Models trained at the same time. */
  readonly workers: number;
  /** Directory of models and of checkpoints: a worker started again on this machine goes on where it was. */
  readonly store: string;
  /** Ends when there is nothing to do in place of waiting for more. */
  readonly isOnce: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What a worker has done. */
export interface WorkDone {
  readonly trained: number;
  /** Jobs that were dropped because nobody waited for them any more. */
  readonly dropped: number;
}

/**
 * Trains models for whoever asks at a database, until it is told to stop. A farm is only worked for with the same engine and, number by
 * number, the same data; why another is left alone is told once.
 *
 * @yields a `step` event after each model, and a notice for each farm that this machine cannot work for
 * @throws LETHE_TRANSIENT_DATABASE, LETHE_TRANSIENT_WRITE, LETHE_INTERNAL_WORKER; what training throws goes to whoever asked
 */
export async function* workAtFarm(options: WorkOptions): Progress<WorkDone> {
  const { signal } = options;
  await using database = await openFarmDatabase(options.url, "worker");
  const inbox = createInbox<LetheEvent | { readonly type: "over"; readonly error?: unknown }>();
  const desk = createDesk(options.engine, (event) => inbox.put(event));
  const done = { trained: 0, dropped: 0 };
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) stop.abort();
  const places = Array.from({ length: options.workers }, async () => {
    try {
      await workAtPlace({ ...options, signal: stop.signal }, database, desk, done, inbox);
      inbox.put({ type: "over" });
    } catch (error) {
      stop.abort();
      inbox.put({ type: "over", error });
    }
  });
  try {
    for (let open = places.length; open > 0; ) {
      const event = await inbox.take();
      if (event.type === "over") {
        open--;
        if (event.error !== undefined) throw event.error;
      } else yield event;
    }
    return done;
  } finally {
    stop.abort();
    await Promise.all(places);
    signal?.removeEventListener("abort", onAbort);
  }
}

async function workAtPlace(
  { workers: _, store: directory, isOnce, signal }: WorkOptions,
  database: FarmDatabase,
  desk: Desk,
  done: { trained: number; dropped: number },
  inbox: Inbox<LetheEvent | { readonly type: "over" }>,
): Promise<void> {
  const store = openModelStore(directory);
  let thread: (TrainerThread & { readonly farm: string }) | undefined;
  const stopThread = async (): Promise<void> => {
    const running = thread;
    thread = undefined;
    await running?.stop();
  };
  try {
    while (!signal?.aborted) {
      await database.releaseLost();
      const found = await nextJob(database, desk);
      if (found === undefined) {
        if (isOnce) return;
        await stopThread();
        await pause(LOOK_EVERY_MS, signal);
        continue;
      }
      const { taken, header } = found;
      if (thread?.farm !== taken.farm) {
        await stopThread();
        thread = { ...startTrainerThread({ header, store: directory }), farm: taken.farm };
      }
      const outcome = await trained(thread, taken, database, signal);
      if (outcome === "trained") {
        await database.store(taken, store.file(taken.job) as Uint8Array);
        done.trained++;
        inbox.put({ type: "step", step: done.trained, scalars: { models: done.trained } });
      } else if (outcome !== "failed") {
        if (outcome === "dropped") done.dropped++;
        await database.giveBack(taken);
        await stopThread();
      }
    }
  } finally {
    await stopThread();
  }
}

async function nextJob(
  database: FarmDatabase,
  desk: Desk,
): Promise<{ readonly taken: TakenJob; readonly header: FarmHeader } | undefined> {
  for (const { farm, description } of await database.farms()) {
    const header = await desk.headerOf(farm, description);
    const taken = header && (await database.take(farm));
    if (taken) return { taken, header };
  }
  return undefined;
}

/** Trains one model. @returns `failed` when no machine can train it, `dropped` when nobody waits for it any more, `stopped` when this worker is told to stop */
async function trained(
  thread: TrainerThread,
  taken: TakenJob,
  database: FarmDatabase,
  signal: AbortSignal | undefined,
): Promise<"trained" | "failed" | "dropped" | "stopped"> {
  let reached = 0;
  const over = new AbortController();
  const isWanted = beats(database, taken, () => reached, over.signal, signal);
  isWanted.catch(() => {});
  const training = thread.train(readJob(taken.message), (step) => {
    reached = step;
  });
  try {
    const first = await Promise.race([training.then(() => "trained" as const), isWanted]);
    if (first === "trained") return first;
    training.catch(() => {});
    return first;
  } catch (error) {
    if (!isLetheError(error) || error.kind === "transient" || error.kind === "internal") {
      await database.giveBack(taken).catch(() => {});
      throw error;
    }
    // The same everywhere: whoever asked has to know.
    await database.fail(taken, packError(error));
    return "failed";
  } finally {
    over.abort();
  }
}

/** Tells of life until it is over. @returns why to stop */
async function beats(
  database: FarmDatabase,
  taken: TakenJob,
  reached: () => number,
  over: AbortSignal,
  signal: AbortSignal | undefined,
): Promise<"dropped" | "stopped"> {
  for (;;) {
    await pause(BEAT_EVERY_MS, AbortSignal.any([over, ...(signal === undefined ? [] : [signal])]));
    if (signal?.aborted || over.aborted) return "stopped";
    if (!(await database.beat(taken, reached()))) return "dropped";
  }
}

/** Decides which farms this machine can work for. */
interface Desk {
  /** What a farm's jobs have in common; `undefined` when this machine cannot work for it. */
  headerOf(farm: string, description: unknown): Promise<FarmHeader | undefined>;
}

function createDesk(engine: string, onEvent: (event: LetheEvent) => void): Desk {
  const known = new Map<string, Promise<FarmHeader | undefined>>();
  const loaded = new Map<string, Promise<Pick<FarmHeader, "data" | "validation">>>();
  const samplesOf = (
    source: Parameters<typeof loadParts>[0],
  ): Promise<Pick<FarmHeader, "data" | "validation">> => {
    const key = JSON.stringify(source);
    const found =
      loaded.get(key) ??
      loadParts(source).then(({ parts: { train, validation } }) => ({
        data: shareSamples(train),
        validation: validation.count === 0 ? undefined : shareSamples(validation),
      }));
    loaded.set(key, found);
    return found;
  };
  const open = async (farm: string, description: unknown): Promise<FarmHeader | undefined> => {
    const refuse = (reason: string): undefined =>
      onEvent({
        type: "notice",
        code: "FARM_REFUSED",
        message: `This machine cannot work for a farm: ${reason}`,
        details: { farm },
      }) as undefined;
    const parsed = farmDescriptionSchema.safeParse(description);
    if (!parsed.success || parsed.data.version !== FARM_VERSION) {
      return refuse("it was set up by another version of Lethe. Use one version on all machines.");
    }
    const { data } = parsed;
    if (data.engine !== engine) {
      return refuse(
        `it wants ${data.engine}, here is ${engine}: models of one farm have to come from one engine, or they differ for other reasons than their data.`,
      );
    }
    try {
      const samples = await samplesOf(data.source);
      if (samples.data.digest !== data.data) {
        return refuse(
          `${data.source.data} here has other numbers than where the farm was set up (their digests differ).`,
        );
      }
      return { ...samples, model: modelOf(data), recipe: data.recipe };
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    headerOf(farm, description) {
      const found = known.get(farm) ?? open(farm, description);
      known.set(farm, found);
      return found;
    },
  };
}
