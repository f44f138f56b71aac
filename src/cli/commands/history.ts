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
import { addKeyOptions, type KeyOptions, keyringOf } from "../keys-argument.ts";
import { formatMode } from "../mode-argument.ts";
import { keysCommand } from "./history-keys.ts";

interface HistoryOptions extends CommonOptions, KeyOptions {
  readonly out: string;
}

/** What a run directory calls its history. */
const HISTORY = "history.db";

/** `lethe history`: look at a stored history, check it, save what is left of a damaged one, carry it elsewhere. */
export function historyCommand(): Command {
  const command = new Command("history").description(
    "Inspect, verify, repair, erase from, export and import a stored history.",
  );
  const add = (
    name: string,
    argument: string,
    out: string,
    description: string,
    run: (path: string, options: HistoryOptions) => Promise<CommandResult>,
    extend: (inner: Command) => void = () => {},
  ): void => {
    const inner = new Command(name)
      .description(description)
      .argument(argument, "a history, or a run's directory");
    extend(addKeyOptions(inner, "of an encrypted history"));
    defineAction<HistoryOptions>(inner, out, (options, _context, [path = ""]) => run(path, options));
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
  add(
    "erase",
    "<path>",
    "out",
    "Take a client's records and sums out of a history, and destroy its key.",
    erase,
    (inner) => inner.requiredOption("--client <name>", "the client to erase"),
  );
  add("export", "<path>", "history.lethe", "Write one language-neutral file, --out.", exportTo);
  add("import", "<file>", "history.db", "Make a history, --out, of an exported file.", importFrom);
  command.addCommand(keysCommand());
  return command;
}

async function inspect(path: string, options: HistoryOptions): Promise<CommandResult> {
  const { header, ...summary } = inspectHistory(historyIn(path), keyringOf(options));
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
      ...(codec.encryption === undefined ? [] : [`encryption  ${codec.encryption}, a key for each client`]),
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

async function verify(path: string, options: HistoryOptions): Promise<CommandResult> {
  const history = await openHistory(historyIn(path), { readOnly: true, keys: keyringOf(options) });
  try {
    const report = await history.verify();
    return { json: report, text: verified(report) };
  } finally {
    await history.close();
  }
}

async function repair(path: string, options: HistoryOptions): Promise<CommandResult> {
  const { out } = options;
  const report = await repairHistory(historyIn(path), out, keyringOf(options));
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

async function erase(path: string, options: HistoryOptions & { client?: string }): Promise<CommandResult> {
  const { client = "" } = options;
  const history = await openHistory(historyIn(path), { keys: keyringOf(options) });
  try {
    const { encryption } = history.header.codec;
    const receipt = await history.eraseClient(client);
    const key = encryption === undefined ? "none: the history is not encrypted" : "destroyed";
    return {
      json: { ...receipt, encrypted: encryption !== undefined },
      text: [
        `erased   ${client}: ${receipt.rounds} rounds, ${receipt.recordBytes} bytes of records`,
        `key      ${key}`,
        "left     the weights, and means of rounds: sums over all clients, which unlearning has to correct",
      ],
    };
  } finally {
    await history.close();
  }
}

async function exportTo(path: string, options: HistoryOptions): Promise<CommandResult> {
  const { out } = options;
  const report = exportHistory(historyIn(path), out, keyringOf(options));
  return { json: { ...report, out }, text: [`written  ${out}`, ...verified(report)] };
}

async function importFrom(file: string, options: HistoryOptions): Promise<CommandResult> {
  const { out } = options;
  const report = await importHistory(file, out, keyringOf(options));
  return { json: { ...report, out }, text: [`written  ${out}`, ...verified(report)] };
}

function verified({
  rounds,
  records,
  sealed,
  erased,
  dropped,
  trusted,
  head,
}: {
  readonly rounds: number;
  readonly records: number;
  readonly sealed: number;
  readonly erased: number;
  readonly dropped: number;
  readonly trusted: readonly string[];
  readonly head: string;
}): readonly string[] {
  return [
    `checked  ${rounds} rounds, ${records} records, ${erased} erased and ${dropped} dropped entries`,
    ...(sealed === 0
      ? []
      : [`sealed   ${sealed} encrypted records, of which the digests alone were checked`]),
    ...(trusted.length === 0 ? [] : [`trusted  without a check: ${trusted.join(", ")}`]),
    `head     ${head}`,
  ];
}

function historyIn(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, HISTORY) : path;
}
