import { Command } from "commander";
import { type DatasetSummary, describeDataset, type NameCount } from "../../data/describe-dataset.ts";
import { listDatasets, loadDataset } from "../../data/index.ts";
import { type CommandResult, type CommonOptions, defineAction } from "../context.ts";

/** Names shown of each kind; `--json` gives all. */
const NAMES_SHOWN = 12;

/** `lethe datasets`: what data there is and whether it is at hand, or what one dataset holds. */
export function datasetsCommand(): Command {
  const command = new Command("datasets")
    .description("List the datasets and file formats, and whether each is at hand; or describe one.")
    .argument("[dataset]", "describe this one: its classes, subjects and groups, as --forget takes them")
    .addHelpText(
      "after",
      "\nExamples:\n  lethe datasets\n  lethe datasets mails\n  lethe datasets 'csv:people.csv?label=y&subject=who'",
    );
  return defineAction<CommonOptions>(command, "out", async (_options, _context, [name]) =>
    name === undefined ? listing() : summary(describeDataset(await loadDataset(name))),
  );
}

async function listing(): Promise<CommandResult> {
  const list = await listDatasets();
  const lines = list.flatMap((entry) => [
    `${entry.available ? "✓" : "✗"} ${entry.form}`,
    `    ${entry.title}`,
    ...(entry.available ? [] : [`    ${entry.remedy}`]),
  ]);
  return { json: list, text: lines };
}

function summary(described: DatasetSummary): CommandResult {
  const { id, title, licence, featureShape, counts, classes, subjects, groups } = described;
  return {
    json: described,
    text: [
      `${id}  ${title}`,
      `licence   ${licence}`,
      `samples   ${counts.train} to train, ${counts.test} to test, features [${featureShape}]`,
      `classes   ${namesOf(classes.map(({ name, count }, label) => ({ name: `${label} ${name}`, count })))}`,
      `subjects  ${namesOf(subjects)}`,
      ...Object.entries(groups).map(([name, values]) => `group     ${name}: ${namesOf(values)}`),
    ],
  };
}

function namesOf(names: readonly NameCount[]): string {
  if (names.length === 0) return "none";
  const shown = names.slice(0, NAMES_SHOWN).map(({ name, count }) => `${name} (${count})`);
  const rest = names.length - shown.length;
  return `${shown.join(", ")}${rest > 0 ? `, … ${rest} more` : ""}`;
}
