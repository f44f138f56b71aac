import { Command } from "commander";
import { listDatasets } from "../../data/index.ts";
import { type CommonOptions, defineAction } from "../context.ts";

/** `lethe datasets`: what data there is and whether it is at hand. */
export function datasetsCommand(): Command {
  const command = new Command("datasets").description(
    "List the datasets and file formats, and whether each is at hand.",
  );
  return defineAction<CommonOptions>(command, "out", async () => {
    const listing = await listDatasets();
    const width = Math.max(...listing.map(({ form }) => form.length));
    const lines = listing.flatMap((entry) => {
      const line = `${entry.available ? "✓" : "✗"} ${entry.form.padEnd(width)}  ${entry.title}`;
      return entry.available ? [line] : [line, `  ${" ".repeat(width)}  ${entry.remedy}`];
    });
    return { json: listing, text: lines };
  });
}
