import { describe, expect, it } from "vitest";
import { flightsTable } from "./flights.ts";
import { loadDataset } from "./index.ts";
import { parseJsonTable } from "./json-table.ts";

const tableOf = (rows: readonly unknown[]) => parseJsonTable(Buffer.from(JSON.stringify(rows)), "f.json");
const flight = { date: "2001/03/04 23:59", delay: 16, distance: 100, origin: "ULM", destination: "BER" };

describe("flightsTable", () => {
  it("calls a flight late after more than 15 minutes and reads hour, weekday and month off its date", () => {
    const table = flightsTable(tableOf([flight, { ...flight, delay: 15, date: "2001/01/01 00:00" }]));
    const row = (at: number) =>
      Object.fromEntries(table.header.map((name) => [name, table.column(name)[at]]));
    expect(row(0)).toEqual({
      late: "late",
      hour: "23 h",
      weekday: "Sunday",
      month: "March",
      distance: 100,
      origin: "ULM",
      destination: "BER",
    });
    expect(row(1)).toMatchObject({ late: "on time", hour: "0 h", weekday: "Monday", month: "January" });
  });

  it("reads times as Parquet files hold them", () => {
    const table = flightsTable(tableOf([{ ...flight, date: Date.UTC(2001, 5, 30, 7, 1) }]));
    expect(table.column("hour")).toEqual(["7 h"]);
    expect(table.column("weekday")).toEqual(["Saturday"]);
  });

  it.each([
    ["delay", { ...flight, delay: null }, /delay in column `delay`, got none on row 2 of f.json/],
    ["date", { ...flight, date: "soon" }, /date in column `date`, got none on row 2/],
  ])("refuses a flight without a %s", (_, wrong, message) => {
    expect(() => flightsTable(tableOf([flight, wrong]))).toThrow(message);
  });
});

describe("flights", () => {
  it("are found in the package, 21.7 % late, in groups by airport", async () => {
    const { train, test, classNames, featureShape } = await loadDataset("flights");
    expect([train.count, test.count, classNames]).toEqual([16_000, 4_000, ["late", "on time"]]);
    const late = train.positionsByClass()[0]?.length ?? 0;
    expect(late / train.count).toBeCloseTo(0.2174, 3);
    expect(train.groupNames).toEqual(["origin", "destination", "weekday"]);
    const row = new Float32Array(featureShape[0] ?? 0);
    train.gather([5], row);
    // Hour, weekday, month, origin and destination are one word each; the distance is a number.
    expect(row.filter((value) => value === 1)).toHaveLength(5);
  });

  it("come in the sizes the package has", async () => {
    expect((await loadDataset("flights:2k")).train.id(0)).toMatch(/^flights:2k\/\d+$/);
    await expect(loadDataset("flights:200k")).rejects.toThrow(/2k, 5k, 10k, 20k, 3m, got `flights:200k`/);
  });
});
