import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const docs = join(import.meta.dirname, "../../docs");
const noPython = spawnSync("python3", ["--version"]).status !== 0;

describe("the reader in another language", () => {
  it.skipIf(noPython)(
    "decodes golden records of Z and trellis codes to the same bits (needs python3)",
    () => {
      const read = JSON.parse(python(join(import.meta.dirname, "check-history-record.py"))) as string[];
      for (const quantiser of ["z", "tcq4", "tcq8", "tcq64"]) {
        expect(read.some((name) => name.split(/[ ,:]/).includes(quantiser))).toBe(true);
      }
    },
  );

  it.skipIf(noPython)("follows the chain of an exported file and decodes its records (needs python3)", () => {
    const golden = JSON.parse(readFileSync(join(import.meta.dirname, "history-container.json"), "utf8"));
    const lines = python(
      join(docs, "history-container.py"),
      join(import.meta.dirname, "history-container.lethe"),
      "4",
    );
    const printed = lines.trimEnd().split("\n");
    expect(printed.at(-1)).toBe(`4 rounds, head ${golden.head}`);
    // Entries that are held have no record of their own.
    expect(golden.updates).toEqual(expect.arrayContaining(printed.slice(0, -1)));
    expect(printed.length).toBeGreaterThan(2);
  });

  it("stays short enough to be read", () => {
    for (const name of ["history-record.py", "history-container.py"]) {
      expect(readFileSync(join(docs, name), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
    }
  });
});

function python(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("python3", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return stdout;
}
