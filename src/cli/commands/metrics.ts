import { Command } from "commander";
import { listMetrics } from "../../metrics/index.ts";
import { type CommonOptions, defineAction } from "../context.ts";

/** `lethe metrics`: what each metric measures, what it needs and what it does not show. */
export function metricsCommand(): Command {
  const command = new Command("metrics").description(
    "List the metrics of an audit: formula, range, needs, and what each does not show.",
  );
  return defineAction<CommonOptions>(command, "out", async () => {
    const listing = listMetrics();
    const width = Math.max(...listing.map(({ id }) => id.length));
    const indent = " ".repeat(width + 2);
    const lines = listing.flatMap((entry) => [
      `${entry.id.padEnd(width)}  ${entry.title}`,
      `${indent}= ${entry.formula}`,
      `${indent}range: ${entry.range}; better: ${entry.direction}; needs: ${entry.needs.join(", ")}`,
      `${indent}does not show: ${entry.doesNotShow}`,
    ]);
    return { json: listing, text: lines };
  });
}
