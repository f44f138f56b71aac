import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "./program.ts";

function withInner(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withInner)];
}

describe("the command line", () => {
  it("leaves it to the program how wrong usage ends, in commands inside commands too", () => {
    const commands = withInner(createProgram());
    expect(commands.map((command) => command.name())).toContain("codec");
    for (const command of commands) {
      command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
      expect(() => command.error("wrong")).toThrow(
        expect.objectContaining({ exitCode: 1, message: "wrong" }),
      );
    }
  });
});
