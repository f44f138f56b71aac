import { Client, Pool } from "pg";
import { PgBoss } from "pg-boss";
import { z } from "zod";
import type { Digest } from "../../../kernel/digest.ts";
import { LetheError } from "../../../kernel/errors.ts";
import { type PackedError, packError } from "../../../kernel/packed-error.ts";

/** Beside pg-boss's own tables, which keep who works at what: what jobs belong to, what they gave, and who is there. */
const SCHEMA = "lethe_farm";
const QUEUE_SCHEMA = "lethe_farm_queue";

const TABLES = `
CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
CREATE TABLE IF NOT EXISTS ${SCHEMA}.farm (name text PRIMARY KEY, description jsonb NOT NULL, announced timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS ${SCHEMA}.party (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, joined timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS ${SCHEMA}.wish (job text NOT NULL, party int NOT NULL, farm text NOT NULL, PRIMARY KEY (job, party));
CREATE TABLE IF NOT EXISTS ${SCHEMA}.claim (job text PRIMARY KEY, farm text NOT NULL, queued uuid NOT NULL, attempt int NOT NULL, party int NOT NULL, step int NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS ${SCHEMA}.model (job text PRIMARY KEY, file bytea NOT NULL, trained timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS ${SCHEMA}.failure (job text PRIMARY KEY, error jsonb NOT NULL);
`;

/** The first of the two numbers of every lock here; the second is a party's id. */
const LOCKS = 0x1e7e;
/** The lock under which tables are made: no party has this id. */
const MAKING_TABLES = 0;

/** Who is alive holds a lock by a connection: it goes with the process, at once and whatever ends it. */
const IS_ALIVE = `EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = ${LOCKS} AND l.objsubid = 2
  AND l.objid = p.id AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** Seconds without a sign of a worker after which its job goes to another, where its connection did not tell before: a machine that lost its power. */
const SILENT_SECONDS = 30;
/** The longest pg-boss allows; a job in good health is not taken away. */
const LONGEST_SECONDS = 23 * 3600;
/** Far more than {@link MOST_ATTEMPTS}, which decides. */
const RETRIES = 1000;
/** Attempts at a job that took its worker down each time. */
const MOST_ATTEMPTS = 5;
const HOUR_SECONDS = 3600;

/** A job that was taken. */
export interface TakenJob {
  readonly job: Digest;
  readonly farm: string;
  readonly message: unknown;
  /** Given back as it came: it names this attempt, so that a late answer does not end somebody else's. */
  readonly ticket: { readonly id: string; readonly retryCount: number };
}

/** The database of a farm, as one process sees it. Every method throws LETHE_TRANSIENT_DATABASE. */
export interface FarmDatabase extends AsyncDisposable {
  /** Puts jobs into the queue of a farm that nobody has put there yet, and notes that this process waits for them. */
  want(
    farm: string,
    description: unknown,
    jobs: readonly { readonly job: Digest; readonly message: object }[],
  ): Promise<void>;
  /** No longer waits for them: a job nobody waits for is not trained. */
  withdraw(jobs: readonly Digest[]): Promise<void>;
  /** Files of trained models among these jobs, at most `limit`. */
  models(
    jobs: readonly Digest[],
    limit: number,
  ): Promise<readonly { readonly job: Digest; readonly file: Uint8Array }[]>;
  forgetModel(job: Digest): Promise<void>;
  /** Why a job cannot be done, where it cannot. */
  failure(jobs: readonly Digest[]): Promise<PackedError | undefined>;
  /** Steps reached by the jobs that are being trained. */
  steps(jobs: readonly Digest[]): Promise<ReadonlyMap<Digest, number>>;
  workers(): Promise<number>;
  /** Gives back the jobs of workers that are gone. @returns how many */
  releaseLost(): Promise<number>;
  /** Farms somebody waits for, the longest known first. */
  farms(): Promise<readonly { readonly farm: string; readonly description: unknown }[]>;
  /** Takes a job of a farm; `undefined` when there is none. Done ones and those nobody waits for are put away on the way. */
  take(farm: string): Promise<TakenJob | undefined>;
  /** Notes how far a job is. @returns whether anybody still waits for it and this attempt still counts */
  beat(taken: TakenJob, step: number): Promise<boolean>;
  store(taken: TakenJob, file: Uint8Array): Promise<void>;
  /** A job that fails everywhere. */
  fail(taken: TakenJob, error: PackedError): Promise<void>;
  /** Leaves a job to others. */
  giveBack(taken: TakenJob): Promise<void>;
}

/**
 * Opens a farm's database, making its tables where there are none.
 *
 * @throws LETHE_TRANSIENT_DATABASE when it cannot be reached
 */
export async function openFarmDatabase(url: string, kind: "worker" | "coordinator"): Promise<FarmDatabase> {
  const pool = new Pool({ connectionString: url, max: 4, application_name: `lethe ${kind}` });
  const presence = new Client({ connectionString: url, application_name: `lethe ${kind} presence` });
  const boss = new PgBoss({
    connectionString: url,
    schema: QUEUE_SCHEMA,
    max: 2,
    schedule: false,
    supervise: kind === "worker",
    application_name: `lethe ${kind} queue`,
  });
  let lost: unknown;
  // Clients also tell of errors between queries; the next query then tells the caller.
  const onError = (error: unknown): void => {
    lost ??= error;
  };
  pool.on("error", onError);
  presence.on("error", onError);
  boss.on("error", onError);
  const guarded = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    if (lost !== undefined) throw databaseError(lost);
    try {
      return await work();
    } catch (cause) {
      throw databaseError(cause);
    }
  };
  const rows = async <Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> =>
    guarded(async () => (await pool.query(text, [...values])).rows as Row[]);
  const close = async (): Promise<void> => {
    await boss.stop({ graceful: false }).catch(() => {});
    await presence.end().catch(() => {});
    await pool.end().catch(() => {});
  };
  let party: number;
  try {
    await presence.connect();
    await presence.query(`SELECT pg_advisory_lock(${LOCKS}, ${MAKING_TABLES})`);
    await presence.query(TABLES);
    await boss.start();
    await presence.query(`SELECT pg_advisory_unlock(${LOCKS}, ${MAKING_TABLES})`);
    // Seen by others only once the lock is held.
    await presence.query("BEGIN");
    party = (await presence.query(`INSERT INTO ${SCHEMA}.party (kind) VALUES ($1) RETURNING id`, [kind]))
      .rows[0].id;
    await presence.query(`SELECT pg_advisory_lock(${LOCKS}, $1)`, [party]);
    await presence.query("COMMIT");
  } catch (cause) {
    await close();
    throw databaseError(cause);
  }

  const endClaim = (job: Digest): Promise<readonly unknown[]> =>
    rows(`DELETE FROM ${SCHEMA}.claim WHERE job = $1 AND party = $2`, [job, party]);
  const putAway = async (farm: string, ticket: TakenJob["ticket"]): Promise<void> => {
    await guarded(() => boss.complete(farm, ticket));
  };
  const database: FarmDatabase = {
    async want(farm, description, jobs) {
      await rows(`INSERT INTO ${SCHEMA}.farm (name, description) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
        farm,
        JSON.stringify(description),
      ]);
      await guarded(() => createQueue(boss, farm));
      const names = jobs.map(({ job }) => job);
      await rows(`DELETE FROM ${SCHEMA}.failure WHERE job = ANY($1)`, [names]);
      // Wished for before it is queued: a worker puts away what nobody waits for.
      await rows(
        `INSERT INTO ${SCHEMA}.wish (job, party, farm) SELECT unnest($1::text[]), $2, $3 ON CONFLICT DO NOTHING`,
        [names, party, farm],
      );
      await guarded(() =>
        boss.insert(
          farm,
          jobs.map(({ job, message }) => ({ data: { job, ...message }, singletonKey: job })),
        ),
      );
    },
    async withdraw(jobs) {
      await rows(`DELETE FROM ${SCHEMA}.wish WHERE party = $1 AND job = ANY($2)`, [party, jobs]);
    },
    models: (jobs, limit) =>
      rows(`SELECT job, file FROM ${SCHEMA}.model WHERE job = ANY($1) LIMIT $2`, [jobs, limit]),
    async forgetModel(job) {
      await rows(`DELETE FROM ${SCHEMA}.model WHERE job = $1`, [job]);
    },
    async failure(jobs) {
      const found = await rows<{ error: PackedError }>(
        `SELECT error FROM ${SCHEMA}.failure WHERE job = ANY($1) LIMIT 1`,
        [jobs],
      );
      return found[0]?.error;
    },
    async steps(jobs) {
      const found = await rows<{ job: Digest; step: number }>(
        `SELECT job, step FROM ${SCHEMA}.claim WHERE job = ANY($1)`,
        [jobs],
      );
      return new Map(found.map(({ job, step }) => [job, step]));
    },
    async workers() {
      const [found] = await rows<{ count: number }>(
        `SELECT count(*)::int AS count FROM ${SCHEMA}.party p WHERE kind = 'worker' AND ${IS_ALIVE}`,
      );
      return found?.count ?? 0;
    },
    async releaseLost() {
      const lostClaims = await rows<{
        job: Digest;
        farm: string;
        queued: string;
        attempt: number;
        party: number;
      }>(
        `SELECT c.* FROM ${SCHEMA}.claim c LEFT JOIN ${SCHEMA}.party p ON p.id = c.party WHERE p.id IS NULL OR NOT ${IS_ALIVE}`,
      );
      for (const claim of lostClaims) {
        await guarded(() => boss.fail(claim.farm, { id: claim.queued, retryCount: claim.attempt }));
        await rows(`DELETE FROM ${SCHEMA}.claim WHERE job = $1 AND party = $2 AND attempt = $3`, [
          claim.job,
          claim.party,
          claim.attempt,
        ]);
      }
      // Wishes of lost coordinators stay: what was asked for is worth having when they are started again.
      await rows(`DELETE FROM ${SCHEMA}.party p WHERE NOT ${IS_ALIVE}`);
      return lostClaims.length;
    },
    farms: () =>
      rows(
        `SELECT name AS farm, description FROM ${SCHEMA}.farm f WHERE EXISTS (SELECT 1 FROM ${SCHEMA}.wish w WHERE w.farm = f.name) ORDER BY announced`,
      ),
    async take(farm) {
      for (;;) {
        const [fetched] = await guarded(() =>
          boss.fetch<{ readonly job: Digest }>(farm, { includeMetadata: true }),
        );
        if (fetched === undefined) return undefined;
        const { job, ...message } = fetched.data;
        const ticket = { id: fetched.id, retryCount: fetched.retryCount };
        const taken: TakenJob = { job, farm, message, ticket };
        const [state] = await rows<{ isWanted: boolean; isDone: boolean }>(
          `SELECT EXISTS (SELECT 1 FROM ${SCHEMA}.wish WHERE job = $1) AS "isWanted", EXISTS (SELECT 1 FROM ${SCHEMA}.model WHERE job = $1) AS "isDone"`,
          [job],
        );
        if (state?.isWanted !== true || state.isDone) {
          await putAway(farm, ticket);
          continue;
        }
        if (ticket.retryCount >= MOST_ATTEMPTS) {
          await database.fail(taken, packError(ruinous(job)));
          continue;
        }
        await rows(
          `INSERT INTO ${SCHEMA}.claim (job, farm, queued, attempt, party) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (job) DO UPDATE SET farm = EXCLUDED.farm, queued = EXCLUDED.queued, attempt = EXCLUDED.attempt, party = EXCLUDED.party, step = 0`,
          [job, farm, ticket.id, ticket.retryCount, party],
        );
        return taken;
      }
    },
    async beat({ job, farm, ticket }, step) {
      const touched = await guarded(() => boss.touch(farm, ticket));
      const [found] = await rows<{ isWanted: boolean }>(
        `WITH noted AS (UPDATE ${SCHEMA}.claim SET step = $2 WHERE job = $1 AND party = $3)
         SELECT EXISTS (SELECT 1 FROM ${SCHEMA}.wish WHERE job = $1) AS "isWanted"`,
        [job, step, party],
      );
      return touchedSchema.parse(touched).affected > 0 && found?.isWanted === true;
    },
    async store({ job, farm, ticket }, file) {
      // The model first: a process killed in between leaves a job that the next worker finds done.
      await rows(`INSERT INTO ${SCHEMA}.model (job, file) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
        job,
        file,
      ]);
      await rows(`DELETE FROM ${SCHEMA}.wish WHERE job = $1`, [job]);
      await endClaim(job);
      await putAway(farm, ticket);
    },
    async fail({ job, farm, ticket }, error) {
      await rows(`INSERT INTO ${SCHEMA}.failure (job, error) VALUES ($1, $2) ON CONFLICT DO NOTHING`, [
        job,
        JSON.stringify(error),
      ]);
      await rows(`DELETE FROM ${SCHEMA}.wish WHERE job = $1`, [job]);
      await endClaim(job);
      await putAway(farm, ticket);
    },
    async giveBack({ job, farm, ticket }) {
      await endClaim(job);
      await guarded(() => boss.fail(farm, ticket));
    },
    async [Symbol.asyncDispose]() {
      lost ??= "closed";
      await close();
    },
  };
  return database;
}

/** What pg-boss answers; its types leave this out. */
const touchedSchema = z.looseObject({ affected: z.int() });

async function createQueue(boss: PgBoss, name: string): Promise<void> {
  await boss.createQueue(name, {
    // One job of a digest at a time, whoever asks for it.
    policy: "exclusive",
    retryLimit: RETRIES,
    retryDelay: 0,
    heartbeatSeconds: SILENT_SECONDS,
    expireInSeconds: LONGEST_SECONDS,
    deleteAfterSeconds: HOUR_SECONDS,
  });
}

/** Drivers name the host and the user, never the password. */
function databaseError(cause: unknown): LetheError {
  const message = cause instanceof Error && cause.message !== "" ? cause.message : String(cause);
  return new LetheError(
    "transient",
    "TRANSIENT_DATABASE",
    `Expected to work with the farm's PostgreSQL database, but: ${message}. Trained models are kept; run again.`,
    { cause },
  );
}

function ruinous(job: Digest): LetheError {
  return new LetheError(
    "internal",
    "INTERNAL_WORKER",
    `Expected a model to be trained, but ${MOST_ATTEMPTS} workers ended while they were at it. If memory is short, use fewer workers a machine.`,
    { details: { job } },
  );
}
