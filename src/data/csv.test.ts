import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { keyFromSeed } from "../kernel/key.ts";
import { parseCsvTable, tableOfCsv } from "./csv-table.ts";
import type { Dataset, Samples } from "./dataset.ts";
import { parseCsvArgument } from "./sources/csv.ts";
import { type TableRoles, tableDataset } from "./table-dataset.ts";

const roles: TableRoles = { label: "y", groups: [], drop: [], testFraction: 0.25 };
const key = keyFromSeed("csv");

function load(text: string, changes: Partial<TableRoles> = {}): Dataset {
  const table = parseCsvTable(Buffer.from(text), "t.csv", { separator: ",", hasHeader: true });
  return tableDataset(
    tableOfCsv(table),
    { ...roles, ...changes },
    { id: "csv:t.csv", title: "T", licence: "none" },
    key,
  );
}

function rowsOf(samples: Samples): readonly (readonly number[])[] {
  const width = samples.featureLength;
  const out = new Float32Array(samples.count * width);
  samples.gather(Uint32Array.from(samples.labels.keys()), out);
  return Array.from({ length: samples.count }, (_, row) => [...out.subarray(row * width, (row + 1) * width)]);
}

const dataError = (code: string, text: RegExp) =>
  expect.objectContaining({ kind: "data", code: `LETHE_${code}`, message: expect.stringMatching(text) });

/** Eight rows: a number, a word, a label, a person. */
const table = `x,town,y,who
1,Ulm,0,ann
2,Ulm,1,bo
3,"Bonn, West",0,cy
4,Ulm,1,ann
5,"Bonn, West",0,bo
6,Ulm,1,cy
7,Ulm,0,ann
8,Ulm,1,bo
`;

describe("tableDataset", () => {
  it("makes classes, subjects and groups of the named columns and features of the others", () => {
    const { train, test, classNames, featureShape } = load(table, { subject: "who", groups: ["town"] });
    expect([train.count, test.count]).toEqual([6, 2]);
    expect(classNames).toEqual(["0", "1"]);
    expect(featureShape).toEqual([3]); // x, town=Bonn, town=Ulm
    const people = ["ann", "bo", "cy", "ann", "bo", "cy", "ann", "bo"];
    for (const samples of [train, test]) {
      for (let position = 0; position < samples.count; position++) {
        const row = Number(samples.id(position).replace("csv:t.csv/", ""));
        expect(samples.labels[position]).toBe(row % 2);
        expect(samples.subject(position)).toBe(people[row]);
        expect(samples.groups(position)).toEqual({ town: row === 2 || row === 4 ? "Bonn, West" : "Ulm" });
      }
    }
  });

  it("standardises numbers with the training part's mean and deviation", () => {
    const { train, test } = load(table, { drop: ["town", "who"] });
    const rowOf = (samples: Samples, position: number) => Number(samples.id(position).split("/")[1]) + 1;
    const raw = [...train.labels].map((_, position) => rowOf(train, position));
    const mean = raw.reduce((sum, value) => sum + value, 0) / raw.length;
    const deviation = Math.sqrt(raw.reduce((sum, value) => sum + (value - mean) ** 2, 0) / raw.length);
    for (const samples of [train, test]) {
      rowsOf(samples).forEach(([value], position) => {
        expect(value).toBeCloseTo((rowOf(samples, position) - mean) / deviation, 6);
      });
    }
  });

  it("changes no training feature when only the test part changes", () => {
    const columns = { drop: ["who"] };
    const before = load(table, columns);
    const row = Number(before.test.id(0).split("/")[1]);
    const lines = table.split("\n");
    lines[row + 1] = (lines[row + 1] as string).replace(/^\d+,("[^"]*"|\w+)/, "900,Paris");
    const after = load(lines.join("\n"), columns);
    expect(rowsOf(after.train)).toEqual(rowsOf(before.train));
    // A word the training part lacks is no category.
    expect(rowsOf(after.test)[0]?.slice(1)).toEqual([0, 0]);
  });

  it("makes zeros of a constant column, in spite of rounding", () => {
    const constant = table.replace(/^(\d),/gm, "0.1,");
    for (const [value] of rowsOf(load(constant, { drop: ["town", "who"] }).train)) expect(value).toBe(0);
  });

  it("sorts whole-number labels as numbers and words as words", () => {
    const rows = (labels: readonly string[]) =>
      `x,y\n${labels.flatMap((label) => [`1,${label}`, `2,${label}`]).join("\n")}`;
    expect(load(rows(["10", "9.0", "-1"]), { testFraction: 0.5 }).classNames).toEqual(["-1", "9", "10"]);
    expect(load(rows(["spam", "ham"]), { testFraction: 0.5 }).classNames).toEqual(["ham", "spam"]);
  });

  it("splits by the key", () => {
    const parsed = parseCsvTable(Buffer.from(table), "t.csv", { separator: ",", hasHeader: true });
    const split = (seed: number) =>
      tableDataset(
        tableOfCsv(parsed),
        roles,
        { id: "t", title: "T", licence: "none" },
        keyFromSeed(seed),
      ).test.id(0);
    expect(split(1)).toBe(split(1));
    expect(new Set([1, 2, 3, 4, 5, 6, 7, 8].map(split)).size).toBeGreaterThan(1);
  });

  it.each([
    ["an unknown column", table, { label: "z" }, "DATA_COLUMN", /`z` in t.csv, got x, town, y, who/],
    ["an unknown subject", table, { subject: "z" }, "DATA_COLUMN", /`z`/],
    ["an unknown group", table, { groups: ["z"] }, "DATA_COLUMN", /`z`/],
    ["an unknown column to drop", table, { drop: ["z"] }, "DATA_COLUMN", /`z`/],
    ["no feature", table, { drop: ["x", "town", "who"] }, "DATA_COLUMN", /at least one feature/],
    [
      "a word among numeric labels",
      table.replace("Ulm,1,bo", "Ulm,one,bo"),
      {},
      "DATA_LABEL",
      /whole number.*line 3 of t.csv/,
    ],
    [
      "a fraction as label",
      table.replace("Ulm,1,bo", "Ulm,0.5,bo"),
      {},
      "DATA_LABEL",
      /whole number.*line 3/,
    ],
    ["an empty label", table.replace("Ulm,1,bo", "Ulm,,bo"), {}, "DATA_LABEL", /empty cell on line 3/],
    ["one class only", table.replaceAll(",1,", ",0,"), {}, "DATA_ONE_CLASS", /two classes in column `y`/],
    ["NaN", table.replace("\n3,", "\nNaN,"), {}, "DATA_NOT_FINITE", /column `x`.*line 4/],
    ["infinity", table.replace("\n3,", "\n-inf,"), {}, "DATA_NOT_FINITE", /line 4/],
    ["a missing number", table.replace("\n3,", "\n,"), {}, "DATA_NOT_FINITE", /line 4/],
    ["a number out of range", table.replace("\n3,", "\n1e39,"), {}, "DATA_NOT_FINITE", /line 4/],
    ["too few rows to test on", "x,y\n1,0\n2,1\n", {}, "DATA_EMPTY", /put one of each class aside/],
  ] as const)("refuses %s, naming the place", (_, text, changes, code, message) => {
    expect(() => load(text, changes)).toThrow(dataError(code, message));
  });

  it("refuses a column of too many words and too many classes", () => {
    const rows = Array.from({ length: 2_100 }, (_, row) => `w${row},${row % 2},c${row >> 1}`).join("\n");
    expect(() => load(`name,y,z\n${rows}`, { drop: ["z"] })).toThrow(
      dataError("DATA_CATEGORIES", /256.*drop=name/),
    );
    expect(() => load(`name,y,z\n${rows}`, { label: "z" })).toThrow(dataError("DATA_LABEL", /1000 classes/));
  });

  it("refuses one-hot codes of more features than any model takes", () => {
    const names = Array.from({ length: 250 }, (_, column) => `c${column}`);
    const rows = Array.from(
      { length: 500 },
      (_, row) => `${names.map(() => `w${row % 250}`).join()},${row % 2}`,
    );
    expect(() => load(`${names.join()},y\n${rows.join("\n")}`)).toThrow(
      dataError("DATA_TOO_LARGE", /drop=NAME/),
    );
  });

  it("never puts a cell into a message", () => {
    const secret = "Ulrike-7731";
    for (const text of [
      table.replace("Ulm,1,bo", `Ulm,${secret},bo`),
      table.replace("Ulm,1,bo", `Ulm,1,bo,${secret}`),
      table.replace("Ulm,1,bo", `"Ulm"${secret},1,bo`),
      `${table}"${secret}`,
    ]) {
      try {
        load(text);
        expect.unreachable();
      } catch (error) {
        if (!isLetheError(error, "data")) throw error;
        expect(`${error.message} ${JSON.stringify(error.details)} ${String(error.cause)}`).not.toContain(
          secret,
        );
        expect(error.cause).toBeUndefined();
      }
    }
  });
});

describe("parseCsvTable", () => {
  const parse = (text: string | Uint8Array, hasHeader = true) =>
    parseCsvTable(Buffer.from(text), "t.csv", { separator: ",", hasHeader });

  it("reads quotes, line ends of every kind, a byte-order mark and empty lines", () => {
    const { header, rows, lines } = parse('\uFEFFa,b\n1,"x ""y""\nz"\r\n\r\n2, w \r\n');
    expect(header).toEqual(["a", "b"]);
    expect(rows).toEqual([
      ["1", 'x "y"\nz'],
      ["2", "w"],
    ]);
    expect(lines.at(-1)).toBe(5);
  });

  it.each([
    ["an empty file", "", "DATA_EMPTY", /rows of data in t.csv/],
    ["a header alone", "a,b\n", "DATA_EMPTY", /rows of data/],
    ["a short row", "a,b\n1,2\n3\n", "DATA_CSV", /as many cells.*line 3 of t.csv/],
    ["a long row", "a,b\n1,2,3\n", "DATA_CSV", /line 2/],
    ["an open quote", 'a,b\n1,"2\n', "DATA_CSV", /inside the one opened/],
    ["a quote inside a cell", 'a,b\n1,"2"3\n', "DATA_CSV", /misplaced quote on line 2/],
    ["a nameless column", "a,\n1,2\n", "DATA_CSV", /name for every column/],
    ["a name twice", "a,a\n1,2\n", "DATA_CSV", /`a` twice/],
    ["another encoding", Uint8Array.of(0x61, 0xff, 0x0a), "DATA_CSV", /UTF-8/],
    [
      "too many columns",
      `${Array.from({ length: 20_000 }, (_, at) => `c${at}`).join()}\n`,
      "DATA_CSV",
      /at most 16384/,
    ],
  ] as const)("refuses %s", (_, text, code, message) => {
    expect(() => parse(text)).toThrow(dataError(code, message));
  });

  it("fails on arbitrary text only with an error about the data", () => {
    const cell = fc.constantFrom("1", "-2.5", "NaN", "", "a", '"q"', '"', "1e999", "\u0000", "\r", "é");
    const text = fc
      .array(
        fc.array(cell, { maxLength: 4 }).map((cells) => cells.join()),
        { maxLength: 12 },
      )
      .map((rows) => `x,y\n${rows.join("\n")}`);
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ maxLength: 80 })), (content) => {
        try {
          const { train, classNames } = load(content);
          expect(classNames.length).toBeGreaterThan(1);
          for (const row of rowsOf(train)) expect(row.every(Number.isFinite)).toBe(true);
        } catch (error) {
          if (!isLetheError(error, "data")) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("parseCsvArgument", () => {
  it("reads roles, test fraction and separator", () => {
    expect(
      parseCsvArgument("a?b.csv?label=y&subject=who&group=sex&group=town&drop=id&test=.5&separator=tab"),
    ).toEqual({
      file: "a?b.csv",
      separator: "\t",
      roles: { label: "y", subject: "who", groups: ["sex", "town"], drop: ["id"], testFraction: 0.5 },
    });
    expect(parseCsvArgument("d.csv?label=a%26b+c")).toEqual({
      file: "d.csv",
      separator: ",",
      roles: { label: "a&b c", groups: [], drop: [], testFraction: 0.2 },
    });
  });

  it.each([
    "d.csv",
    "d.csv?label=",
    "?label=y",
    "d.csv?label=y&labels=z",
    "d.csv?label=y&label=z",
    "d.csv?label=y&test=1",
    "d.csv?label=y&test=x",
    "d.csv?label=y&separator=ab",
    "d.csv?label=y&separator=%22",
  ])("refuses %j as a usage error", (argument) => {
    expect(() => parseCsvArgument(argument)).toThrow(expect.objectContaining({ kind: "usage" }));
  });
});
