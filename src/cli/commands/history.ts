import { statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { FULL } from "../../history/retention.ts";
import { openHistory } from "../../storage/sqlite/history-store.ts";
import { inspectHistory } from "../../storage/sqlite/inspect-history.ts";
import { repairHistory } from "../../storage/sqlite/repair-history.ts";
import { exportHistory, importHistory } from "../../storage/sqlite/transfer-history.ts";
import { formatCodec } from "../codec-argument.ts";
import { type CommandResult, type CommonOptions, defineAction } from "../context.ts";
import { formatMode } from "../mode-argument.ts";

/** What a run directory calls its history. */
const HISTORY = "history.db";

/** `lethe history`: look at a stored history, check it, save what is left of a damaged one, carry it elsewhere. */
export function historyCommand(): Command {
  const command = new Command("history").description(
    "Inspect, verify, repair, export and import a stored history.",
  );
  const add = (
    name: string,
    argument: string,
    out: string,
    description: string,
    run: (path: string, out: string) => Promise<CommandResult>,
  ): void => {
    const inner = new Command(name)
      .description(description)
      .argument(argument, "a history, or a run's directory");
    defineAction<CommonOptions>(inner, out, (options, _context, [path = ""]) => run(path, options.out));
    command.addCommand(inner);
  };
  add("inspect", "<path>", "out", "Header, rounds, clients and bytes, without decoding.", inspect);
  add(
    "verify",
    "<path>",
    "out",
    "Check every record and the chain of digests; exit code 5 for damage.",
    verify,
  );
  add(
    "repair",
    "<path>",
    "repaired.db",
    "Write what is intact into a new file, --out, and say what is lost.",
    repair,
  );
  add("export", "<path>", "history.lethe", "Write one language-neutral file, --out.", exportTo);
  add("import", "<file>", "history.db", "Make a history, --out, of an exported file.", importFrom);
  return command;
}

async function inspect(path: string): Promise<CommandResult> {
  const { header, ...summary } = inspectHistory(historyIn(path));
  const { layout, codec, facts } = header;
  const { storage, rounds, clients, codecs, repairs } = summary;
  const tensors = layout.slots.map(({ name, shape, role }) => ({ name, shape, role }));
  const bytes = rounds.map((round) => round.bytes);
  const width = Math.max(6, ...clients.map(({ client }) => client.length));
  return {
    json: { parameters: layout.length, tensors, codec, facts, ...summary },
    text: [
      `parameters  ${layout.length} in ${layout.slots.length} tensors`,
      `codec       ${formatCodec(codec)}`,
      `mode        ${formatMode(codec.retention ?? FULL)}`,
      `rounds      ${rounds.length}${rounds.length === 0 ? "" : `, ${Math.min(...bytes)} to ${Math.max(...bytes)} bytes each`}`,
      `bytes       ${storage.bytesOnDisk} on disk, ${storage.recordBytes} in records, ${storage.bitsPerParameter.toFixed(3)} bits a parameter`,
      ...Object.entries(codecs).map(
        ([id, count]) => `records     ${count.records} of ${id}, ${count.bytes} bytes`,
      ),
      `head        ${summary.head}`,
      ...repairs.map(({ part, note }) => `repaired    ${part}: ${note}`),
      "",
      `${"client".padEnd(width)}  entries  records      bytes`,
      ...clients.map(
        ({ client, entries, records, bytes: held }) =>
          `${client.padEnd(width)}  ${String(entries).padStart(7)}  ${String(records).padStart(7)}  ${String(held).padStart(9)}`,
      ),
    ],
  };
}

async function verify(path: string): Promise<CommandResult> {
  const history = await openHistory(historyIn(path), { readOnly: true });
  try {
    const report = await history.verify();
    return { json: report, text: verified(report) };
  } finally {
    await history.close();
  }
}

async function repair(path: string, out: string): Promise<CommandResult> {
  const report = await repairHistory(historyIn(path), out);
  if (report.verified === undefined) {
    return { json: report, text: ["Nothing is damaged; nothing was written."] };
  }
  return {
    json: { ...report, out },
    text: [
      ...report.lost.map(({ round, client }) => `lost     round ${round}, ${client}`),
      ...(report.cutFrom === undefined ? [] : [`lost     all rounds from ${report.cutFrom} on`]),
      ...report.dropped.map((part) => `lost     ${part}`),
      ...report.consequences,
      `written  ${out}`,
      ...verified(report.verified),
    ],
  };
}

async function exportTo(path: string, out: string): Promise<CommandResult> {
  const report = exportHistory(historyIn(path), out);
  return { json: { ...report, out }, text: [`written  ${out}`, ...verified(report)] };
}

async function importFrom(file: string, out: string): Promise<CommandResult> {
  const report = await importHistory(file, out);
  return { json: { ...report, out }, text: [`written  ${out}`, ...verified(report)] };
}

function verified({
  rounds,
  records,
  erased,
  dropped,
  trusted,
  head,
}: {
  readonly rounds: number;
  readonly records: number;
  readonly erased: number;
  readonly dropped: number;
  readonly trusted: readonly string[];
  readonly head: string;
}): readonly string[] {
  return [
    `checked  ${rounds} rounds, ${records} records, ${erased} erased and ${dropped} dropped entries`,
    ...(trusted.length === 0 ? [] : [`trusted  without a check: ${trusted.join(", ")}`]),
    `head     ${head}`,
  ];
}

function historyIn(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, HISTORY) : path;
}
