import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFileAtomically } from "../../src/storage/atomic-file.ts";

const DISK_BYTES = 64 * 1024;

/** Mounts a disk of 64 KiB, which only the administrator may; false where that is not allowed. */
function mountTinyDisk(directory: string): boolean {
  const options = ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", directory];
  return process.platform === "linux" && spawnSync("mount", options).status === 0;
}

describe("on a full disk", () => {
  it("a file keeps its old content, nothing is left behind, and space makes the next attempt succeed", ({
    skip,
  }) => {
    const directory = mkdtempSync(join(tmpdir(), "lethe-disk-"));
    try {
      skip(!mountTinyDisk(directory), "mounting a small disk needs an administrator's rights on Linux");
      const path = join(directory, "result.json");
      writeFileAtomically(path, "old");
      expect(() => writeFileAtomically(path, new Uint8Array(2 * DISK_BYTES))).toThrowError(
        expect.objectContaining({
          code: "LETHE_TRANSIENT_WRITE",
          message: expect.stringMatching(/ENOSPC.*Free space/),
        }),
      );
      expect(readFileSync(path, "utf8")).toBe("old");
      expect(readdirSync(directory)).toEqual(["result.json"]);
      writeFileAtomically(path, new Uint8Array(DISK_BYTES / 2));
      expect(readFileSync(path)).toHaveLength(DISK_BYTES / 2);
    } finally {
      spawnSync("umount", [directory]);
      rmSync(directory, { recursive: true });
    }
  });
});
