import { describe, expect, it } from "vitest";
import { isLetheError, LetheError } from "./errors.ts";
import { packError, unpackError } from "./packed-error.ts";

describe("a packed error", () => {
  it("survives a structured clone with kind, code, message, details, stack and causes", () => {
    const cause = new LetheError("numeric", "NUMERIC_SYMBOL", "Too large.", { cause: new TypeError("deep") });
    const error = new LetheError("integrity", "INTEGRITY_RECORD", "Damaged.", {
      details: { round: 3, client: "anna" },
      cause,
    });
    const copy = unpackError(structuredClone(packError(error)));
    expect(isLetheError(copy, "integrity")).toBe(true);
    expect(copy).toMatchObject({
      code: "LETHE_INTEGRITY_RECORD",
      message: "Damaged.",
      details: { round: 3, client: "anna" },
      stack: error.stack,
      cause: { kind: "numeric", code: "LETHE_NUMERIC_SYMBOL", cause: { message: "deep" } },
    });
  });

  it("keeps what is not one of ours an ordinary error", () => {
    const copy = unpackError(packError(new RangeError("out of memory")));
    expect(isLetheError(copy)).toBe(false);
    expect(copy.message).toBe("out of memory");
    expect(unpackError(packError("only a text")).message).toBe("only a text");
  });
});
