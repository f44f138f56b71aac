import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { accept, collect, create, placeForEachTest } from "../../../test/fixtures/history.ts";
import { openHistory } from "./history-store.ts";

const place = placeForEachTest();

describe("erasure of a client", () => {
  it("leaves no byte of its records on disk, keeps the others, and a chain that can be checked", async () => {
    const history = await create(place.path);
    const records: Uint8Array[] = [];
    for (let round = 0; round < 6; round++) {
      await accept(history, round);
      records.push((await history.record(round, "bert")) as Uint8Array);
    }
    const before = await history.verify();
    const others = await collect(history.readRounds({ clients: ["anna", "cleo"] }));
    // A piece from the middle of each record: pages cut records at their ends.
    const pieces = records.map((record) => record.subarray(300, 340));
    expect(pieces.every(isOnDisk)).toBe(true);

    expect(await history.eraseClient("bert")).toEqual({
      client: "bert",
      rounds: 6,
      recordBytes: records.reduce((sum, record) => sum + record.length, 0),
    });
    expect(pieces.some(isOnDisk)).toBe(false);
    expect(await history.verify()).toEqual({ ...before, records: 12, erased: 6 });
    expect(await collect(history.readRounds({ clients: ["anna", "cleo"] }))).toEqual(others);
    expect(await history.decode(2, "bert")).toBeUndefined();
    expect(await history.auxiliary("bert", "moments")).toBeUndefined();
    const [first] = await collect(history.readRounds());
    expect(first?.participants[1]).toEqual({
      client: "bert",
      weight: 0,
      status: "erased",
      update: undefined,
    });
    expect((await history.clients()).find(({ client }) => client === "bert")?.erased).toBe(true);
    await history.close();
    expect(pieces.some(isOnDisk)).toBe(false);
  });

  it("lets the others go on, and refuses the erased client", async () => {
    const history = await create(place.path, { threshold: { mode: "temporal", tau: 1.5 } });
    await accept(history, 0);
    await history.eraseClient("anna");
    await expect(accept(history, 1)).rejects.toThrow(/not erased/);
    await accept(history, 1, ["bert", "cleo"]);
    expect(await history.eraseClient("anna")).toMatchObject({ rounds: 0 });
    expect(await history.verify()).toMatchObject({ rounds: 2, erased: 1 });
    await expect(history.eraseClient("nobody")).rejects.toThrow(/took part/);
    await history.close();
  });

  it("is finished by the next writer when the process ended before the file was cleaned", async () => {
    const history = await create(place.path);
    await accept(history, 0);
    const piece = ((await history.record(0, "bert")) as Uint8Array).slice(300, 340);
    await history.close();
    const setup = new DatabaseSync(place.path);
    // What a process that ended between recording an erasure and cleaning leaves behind.
    setup.exec("UPDATE entries SET status = 5, record = NULL, digest = 'sha256:0' WHERE id = 2");
    setup.exec("INSERT INTO cleanup (id) VALUES (1)");
    setup.close();
    await (await openHistory(place.path)).close();
    expect(isOnDisk(piece)).toBe(false);
  });
});

/** Whether any file of the store holds `bytes`. */
function isOnDisk(bytes: Uint8Array): boolean {
  return readdirSync(place.directory).some((file) =>
    readFileSync(join(place.directory, file)).includes(Buffer.from(bytes)),
  );
}
