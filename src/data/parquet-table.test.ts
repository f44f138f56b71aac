import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed, randomStream } from "../kernel/key.ts";
import { readParquetTable } from "./parquet-table.ts";

const fixture = (codec: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, "../../test/fixtures/tables", `${codec}.parquet`));

describe("readParquetTable", () => {
  it.each(["none", "snappy", "gzip", "brotli", "zstd", "lz4"])(
    "reads a file packed with %s",
    async (codec) => {
      const table = await readParquetTable(fixture(codec), "t.parquet");
      expect(table.rowCount).toBe(8);
      expect(table.placeOf(4)).toBe("row 5");
      expect(table.column("whole")).toEqual(Float64Array.of(1, 2, 3, 4, 5, 6, 7, Number.NaN));
      expect(table.column("real")).toEqual(Float64Array.of(0.5, -1.5, 2.25, 1e10, 0, 3, -2, 8));
      expect(table.column("town")).toEqual(["Ulm", "Ulm", "Bonn", "", "Ulm", "Bonn", "Ulm", "Zürich"]);
      expect(table.column("member").slice(0, 2)).toEqual(["true", "false"]);
      expect(table.column("seen")[1]).toBe(Date.UTC(2001, 0, 2));
      expect(table.column("price")[3]).toBe(3.25);
    },
  );

  it("keeps whole numbers apart that are one as floating-point numbers", async () => {
    const table = await readParquetTable(fixture("zstd"), "t.parquet");
    const first = 2n ** 60n;
    expect(table.column("person")).toEqual(
      [0n, 0n, 1n, 1n, 2n, 2n, 3n, 3n].map((person) => String(first + person)),
    );
  });

  it("names a column it cannot hold, when it is used", async () => {
    const table = await readParquetTable(fixture("zstd"), "t.parquet");
    expect(table.header).toContain("list");
    expect(() => table.column("list")).toThrow(/numbers or words in column `list` of t.parquet.*drop=list/);
  });

  it.each([
    ["an empty file", new Uint8Array(), /footer/],
    ["another format", Buffer.from("x,y\n1,2\n".repeat(4)), /footer/],
    ["a file cut short", fixture("zstd").subarray(0, 900), /footer/],
    ["a file without its first half", fixture("zstd").subarray(600), /t.parquet/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(readParquetTable(bytes, "t.parquet")).rejects.toThrow(
      expect.objectContaining({
        kind: "data",
        code: "LETHE_DATA_PARQUET",
        message: expect.stringMatching(message),
      }),
    );
  });

  it.each(["none", "gzip"])("writes out no run of two thousand million values (%s)", async (codec) => {
    const original = fixture(codec);
    // The pages of the first column end before.
    for (let at = 4; at < 300; at++) {
      const bytes = Uint8Array.from(original);
      bytes.set([0xfe, 0xff, 0xff, 0xff, 0x0f], at);
      try {
        await readParquetTable(bytes, "t.parquet");
      } catch (error) {
        if (!isLetheError(error, "data")) throw error;
      }
    }
  });

  it("never fails otherwise than with an error about the data", async () => {
    const stream = randomStream(keyFromSeed("parquet"));
    for (let run = 0; run < 300; run++) {
      const bytes = Uint8Array.from(fixture(run % 2 ? "none" : "snappy"));
      for (let change = 0; change < 3; change++) bytes[stream.below(bytes.length)] = stream.below(256);
      try {
        expect((await readParquetTable(bytes, "t.parquet")).rowCount).toBeGreaterThan(0);
      } catch (error) {
        if (!isLetheError(error, "data")) throw error;
      }
    }
  });
});
