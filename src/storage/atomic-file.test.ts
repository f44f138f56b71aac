import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomically } from "./atomic-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-atomic-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const failure = expect.objectContaining({ code: "LETHE_TRANSIENT_WRITE", kind: "transient" });

describe("a file written atomically", () => {
  it("holds the new content, in folders made for it, with nothing left beside it", () => {
    const path = join(directory, "a", "b", "file.txt");
    writeFileAtomically(path, "grüße");
    expect(readFileSync(path, "utf8")).toBe("grüße");
    writeFileAtomically(path, Uint8Array.of(1, 2, 3).subarray(1));
    expect([...readFileSync(path)]).toEqual([2, 3]);
    writeFileAtomically(path, "");
    expect(readFileSync(path)).toHaveLength(0);
    expect(readdirSync(join(directory, "a", "b"))).toEqual(["file.txt"]);
  });

  it("replaces the old file and never writes into it: who holds the old one keeps it whole", () => {
    const [path, held] = [join(directory, "file"), join(directory, "held")];
    writeFileAtomically(path, "old");
    linkSync(path, held);
    writeFileAtomically(path, "new and longer");
    expect(readFileSync(held, "utf8")).toBe("old");
    expect(readFileSync(path, "utf8")).toBe("new and longer");
  });

  it("is not written where a folder of that name is, which stays as it is", () => {
    const path = join(directory, "folder");
    mkdirSync(path);
    writeFileSync(join(path, "inside"), "kept");
    expect(() => writeFileAtomically(path, "x")).toThrowError(failure);
    expect(readFileSync(join(path, "inside"), "utf8")).toBe("kept");
    expect(readdirSync(directory)).toEqual(["folder"]);
  });

  it("is not written below a file, and the message names the place", () => {
    const file = join(directory, "file");
    writeFileSync(file, "kept");
    for (const path of [join(file, "child"), join(file, "deep", "child")]) {
      expect(() => writeFileAtomically(path, "x")).toThrowError(failure);
      expect(() => writeFileAtomically(path, "x")).toThrowError(`write ${path} (`);
    }
    expect(readFileSync(file, "utf8")).toBe("kept");
  });

  it("that fails in the middle of writing leaves the old content and no part of the new", () => {
    const path = join(directory, "file");
    writeFileAtomically(path, "old");
    // More than a call can be asked to write: the write itself fails, after the temporary file was opened.
    const lying = new Proxy(new Uint8Array(4), {
      get: (target, name) => (name === "length" ? 8 : Reflect.get(target, name, target)),
    });
    expect(() => writeFileAtomically(path, lying)).toThrowError(failure);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(directory)).toEqual(["file"]);
  });
});
