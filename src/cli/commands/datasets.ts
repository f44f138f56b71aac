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
    return { json: listing, text: listing.map((entry) => `${entry.form.padEnd(width)}  ${entry.title}`) };
  });
}
