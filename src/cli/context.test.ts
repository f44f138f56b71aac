import { describe, expect, it } from "vitest";
import { parseCount, parseList, parseReal } from "./context.ts";

describe("a list in one argument", () => {
  it("is split at any white space, and every part is read", () => {
    expect(parseList(parseCount)(" 1  2 ")).toEqual([1, 2]);
    expect(parseList(parseReal)("0.7")).toEqual([0.7]);
  });

  it("is refused as wrong usage when a part is wrong, or when there is none", () => {
    expect(() => parseList(parseCount)("1 x")).toThrow(
      expect.objectContaining({ code: "commander.invalidArgument" }),
    );
    expect(() => parseList(parseReal)("  ")).toThrow(/at least one/);
  });
});
