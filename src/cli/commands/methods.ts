import { Command } from "commander";
import { listMethods } from "../../methods/index.ts";
import { type CommonOptions, defineAction } from "../context.ts";

/** `lethe methods`: what each method forgets, what it needs, and when not to use it. */
export function methodsCommand(): Command {
  const command = new Command("methods").description(
    "List the unlearning methods: scope, needed data, guarantee, settings, and when not to use each.",
  );
  return defineAction<CommonOptions>(command, "out", async () => {
    const listing = listMethods();
    const width = Math.max(...listing.map(({ id }) => id.length));
    const indent = " ".repeat(width + 2);
    const lines = listing.flatMap((entry) => [
      `${entry.id.padEnd(width)}  ${entry.title}`,
      `${indent}forgets: ${entry.scope.join(", ")}; needs: ${entry.needs.join(", ")}${entry.isPrepared ? "; prepared beforehand" : ""}`,
      `${indent}guarantee: ${entry.guarantee}`,
      `${indent}avoid when: ${entry.avoidWhen}`,
    ]);
    return { json: listing, text: lines };
  });
}
