import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "./program.ts";

function withInner(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withInner)];
}

describe("the command line", () => {
  it("leaves it to the program how wrong usage ends, in commands inside commands too", async () => {
    const commands = withInner(await createProgram());
    expect(commands.map((command) => command.name())).toContain("codec");
    for (const command of commands) {
      command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
      expect(() => command.error("wrong")).toThrow(
        expect.objectContaining({ exitCode: 1, message: "wrong" }),
      );
    }
  });

  it("loads the command that is wanted alone, and all for a word that is none", async () => {
    const namesFor = async (wanted?: string): Promise<readonly string[]> =>
      (await createProgram(wanted)).commands.map((command) => command.name());
    expect(await namesFor("datasets")).toEqual(["datasets"]);
    const all = await namesFor();
    expect(all).toContain("simulate");
    expect(await namesFor("--help")).toEqual(all);
    for (const name of all) expect(await namesFor(name)).toEqual([name]);
  });
});
