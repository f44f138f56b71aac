import { describe, expect, it } from "vitest";
import { parseJsonTable } from "./json-table.ts";

const parse = (text: string | Uint8Array) => parseJsonTable(Buffer.from(text), "t.json");

describe("parseJsonTable", () => {
  it.each([
    ["an array", '[{"x":1,"town":"Ulm"},{"x":2.5},{"town":null,"x":null}]'],
    ["lines", '{"x":1,"town":"Ulm"}\r\n\n{"x":2.5}\n{"town":null,"x":null}\n'],
  ])("reads rows in %s, with gaps where a value is absent", (_, text) => {
    const table = parse(text);
    expect(table.header).toEqual(["x", "town"]);
    expect(table.rowCount).toBe(3);
    expect(table.column("x")).toEqual(Float64Array.of(1, 2.5, Number.NaN));
    expect(table.column("town")).toEqual(["Ulm", "", ""]);
  });

  it("holds a column with words as words, and inherits no names", () => {
    const table = parse('[{"a":1,"toString":true},{"a":"x"}]');
    expect(table.column("a")).toEqual(["1", "x"]);
    expect(table.column("toString")).toEqual(["true", ""]);
  });

  it.each([
    ["nothing", "", "DATA_EMPTY", /rows of data/],
    ["no rows", "[]", "DATA_EMPTY", /rows of data/],
    ["a broken line", '{"x":1}\n{"x":', "DATA_JSON", /line 2 of t.json/],
    ["a broken array", '[{"x":1}', "DATA_JSON", /the array of t.json/],
    ["a number as row", "[{},3]", "DATA_JSON", /object.*row 2/],
    ["a list as row", "[[]]", "DATA_JSON", /object.*row 1/],
    ["a nameless column", '[{"":1}]', "DATA_JSON", /name for every column/],
    ["another encoding", Uint8Array.of(0x5b, 0xff), "DATA_JSON", /UTF-8/],
  ] as const)("refuses %s", (_, text, code, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        kind: "data",
        code: `LETHE_${code}`,
        message: expect.stringMatching(message),
      }),
    );
  });

  it("refuses a column of lists when it is used", () => {
    const table = parse('[{"x":[1]}]');
    expect(() => table.column("x")).toThrow(/numbers or words in column `x`.*drop=x/);
  });

  it("never puts a value into a message", () => {
    const secret = "Ulrike-7731";
    try {
      parse(`[{"name":"${secret}"]`);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain(secret);
      expect((error as Error).cause).toBeUndefined();
    }
  });
});
