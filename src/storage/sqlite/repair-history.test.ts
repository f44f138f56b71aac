import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { accept, collect, create, placeForEachTest } from "../../../test/fixtures/history.ts";
import type { CodecConfigInput } from "../../history/config.ts";
import type { VerifyReport } from "../../history/store.ts";
import { openHistory } from "./history-store.ts";
import { repairHistory } from "./repair-history.ts";

const place = placeForEachTest();
/** Flips the middle of the record of client number 2 (bert) in round 1. */
const SPOIL_RECORD =
  "UPDATE entries SET record = CAST(substr(record, 1, 60) || x'5a5a' || substr(record, 63) AS BLOB) WHERE id = 1048578";

async function made(sql: string, codec: CodecConfigInput = {}): Promise<VerifyReport> {
  const history = await create(place.path, codec);
  for (let round = 0; round < 4; round++) await accept(history, round);
  const report = await history.verify();
  await history.close();
  const tamper = new DatabaseSync(place.path);
  tamper.exec(sql);
  tamper.close();
  return report;
}

describe("repair", () => {
  it("takes out a damaged record alone, keeps the chain's head, and can be repeated", async () => {
    const { head } = await made(SPOIL_RECORD);
    const out = join(place.directory, "repaired.history");
    const before = readFileSync(place.path);
    const report = await repairHistory(place.path, out);
    expect(readFileSync(place.path)).toEqual(before);
    expect(report).toMatchObject({ lost: [{ round: 1, client: "bert" }], cutFrom: undefined, dropped: [] });
    expect(report.consequences.join()).toContain("bert");
    expect(report.verified).toMatchObject({ rounds: 4, records: 11, dropped: 1, trusted: ["round 1"], head });
    const repaired = await openHistory(out);
    expect((await collect(repaired.readRounds())).map(({ participants }) => participants[1]?.status)).toEqual(
      ["stored", "dropped", "stored", "stored"],
    );
    await accept(repaired, 4);
    expect(await repaired.verify()).toMatchObject({ rounds: 5 });
    await repaired.close();
    const again = await repairHistory(out, join(place.directory, "again.history"));
    expect(again).toMatchObject({ lost: [], verified: undefined });
    expect(existsSync(join(place.directory, "again.history"))).toBe(false);
  });

  it("takes out what was held by a damaged record too", async () => {
    const codec = { threshold: { mode: "temporal" as const, tau: 10 } };
    await made("UPDATE entries SET record = x'00' WHERE id = 2", codec);
    const report = await repairHistory(place.path, join(place.directory, "repaired.history"));
    expect(report.lost).toEqual([0, 1, 2, 3].map((round) => ({ round, client: "bert" })));
    expect(report.verified).toMatchObject({ dropped: 4 });
  });

  it("takes out all that rests on a damaged round mean", async () => {
    await made("UPDATE rounds SET mean = x'00' WHERE round = 2", { threshold: { mode: "mean", tau: 0.1 } });
    const { lost, verified } = await repairHistory(place.path, join(place.directory, "repaired.history"));
    expect(lost.map(({ round, client }) => `${round} ${client}`)).toEqual([
      "2 the round's mean",
      "2 anna",
      "2 bert",
      "2 cleo",
    ]);
    expect(verified).toMatchObject({ rounds: 4, records: 9 });
  });

  it("cuts a history where a round was changed and nothing says what", async () => {
    await made("UPDATE entries SET weight = 9 WHERE id = 2097154");
    const out = join(place.directory, "repaired.history");
    const report = await repairHistory(place.path, out);
    expect(report).toMatchObject({ lost: [], cutFrom: 2 });
    expect(report.dropped).toContain("state");
    expect(report.verified).toMatchObject({ rounds: 2, records: 6, trusted: ["state"] });
    const repaired = await openHistory(out, { readOnly: true });
    expect(await repaired.resume()).toBeUndefined();
    await repaired.close();
  });

  it("drops a running mean that was changed, and nothing else", async () => {
    await made("UPDATE auxiliary SET mean = zeroblob(length(mean)) WHERE client = 2");
    const report = await repairHistory(place.path, join(place.directory, "repaired.history"));
    expect(report.dropped).toEqual(['running mean "moments" of client 2']);
    expect(report.verified).toMatchObject({ rounds: 4, records: 12, trusted: [] });
  });

  it("refuses a history whose header is not the one it was made with", async () => {
    await made("UPDATE header SET key = zeroblob(32)");
    await expect(repairHistory(place.path, join(place.directory, "r"))).rejects.toMatchObject({
      code: "LETHE_INTEGRITY_HEADER",
    });
  });
});
