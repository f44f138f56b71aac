import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { prettifyError, type z } from "zod";
import { exitCodeOf, isLetheError, LetheError } from "../kernel/errors.ts";
import { consume, type LetheEvent, type Progress } from "../kernel/events.ts";
import { DEVICES, type Device, type RuntimeOptions } from "../runtime/runtime-options.ts";
import { createTerminal, type Terminal } from "./terminal.ts";

/** The options every command takes. */
export interface CommonOptions {
  readonly out?: string;
  readonly seed?: number;
  readonly threads?: number;
  readonly device?: Device;
  readonly json?: boolean;
}

/** What decides every random choice where nobody says. */
const DEFAULT_SEED = 1;

/** What a command is given besides its own options. */
export interface CommandContext {
  readonly seed: number;
  readonly runtime: RuntimeOptions;
  readonly signal: AbortSignal;
  /** Runs a long operation with its progress shown. */
  run<Outcome>(title: string, operation: Progress<Outcome>): Promise<Outcome>;
  /** Shows an event of an operation the command drives itself. */
  show(event: LetheEvent): void;
  /** Writes a line for people to stderr; stdout belongs to the result. */
  say(line: string): void;
}

/** What a command ends with: the JSON document, and the lines a person reads instead. */
export interface CommandResult {
  readonly json: unknown;
  readonly text: readonly string[];
  /** 0 when left out. */
  readonly exitCode?: number;
}

/** Adds `--out --seed --threads --device --json` to a command and gives it its action. */
export function defineAction<Options extends CommonOptions>(
  command: Command,
  defaultOut: string,
  action: (
    options: Options & { readonly out: string },
    context: CommandContext,
    args: readonly string[],
  ) => Promise<CommandResult>,
): Command {
  return command
    .option("--out <path>", "where results go", defaultOut)
    .option("--seed <integer>", `decides every random choice (default: ${DEFAULT_SEED})`, parseInteger)
    .option(
      "--threads <count>",
      `threads of the engine, of ${availableParallelism()} here (default: by model size)`,
      parseCount,
    )
    .addOption(new Option("--device <id>", "what computes (default: cpu)").choices(DEVICES))
    .option("--json", "one JSON document on stdout, progress on stderr")
    .action(async (...values: unknown[]) => {
      const self = values.at(-1) as Command;
      const options = self.opts<Options & { readonly out: string }>();
      process.exitCode = await runAction(options, (context) => action(options, context, self.args));
    });
}

async function runAction(
  options: CommonOptions,
  action: (context: CommandContext) => Promise<CommandResult>,
): Promise<number> {
  const terminal = createTerminal();
  const controller = new AbortController();
  const cancel = (): void => controller.abort();
  process.once("SIGINT", cancel);
  process.once("SIGTERM", cancel);
  try {
    const result = await action(contextOf(options, terminal, controller.signal));
    terminal.clear();
    if (options.json) process.stdout.write(`${JSON.stringify(result.json, undefined, 2)}\n`);
    else for (const line of result.text) process.stdout.write(`${line}\n`);
    return result.exitCode ?? 0;
  } catch (error) {
    terminal.clear();
    return reportFailure(error, options.json === true);
  } finally {
    process.removeListener("SIGINT", cancel);
    process.removeListener("SIGTERM", cancel);
  }
}

function contextOf(options: CommonOptions, terminal: Terminal, signal: AbortSignal): CommandContext {
  return {
    seed: options.seed ?? DEFAULT_SEED,
    // Spinning threads starve each other where cores are shared, as in CI.
    runtime: {
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      ...(options.device === undefined ? {} : { device: options.device }),
      ...(process.env.CI === undefined ? {} : { spinning: false }),
    },
    signal,
    run: (title, operation) => {
      terminal.begin(title);
      return consume(operation, (event) => terminal.show(event));
    },
    show: (event) => terminal.show(event),
    say: (line) => terminal.say(line),
  };
}

/** Writes what went wrong to stderr (and as JSON to stdout when asked) and gives the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const known = isLetheError(error)
    ? error
    : new LetheError("internal", "INTERNAL", error instanceof Error ? error.message : String(error), {
        cause: error,
      });
  if (json) writeErrorDocument(known);
  process.stderr.write(`${known.kind === "internal" ? "Internal error" : "Error"}: ${known.message}\n`);
  if (known.kind === "internal" && error instanceof Error && error.stack !== undefined) {
    process.stderr.write(`${error.stack}\nThis is a bug in Lethe; please report it with the command line.\n`);
  }
  return exitCodeOf[known.kind];
}

/** Writes a failure as the JSON document of a command that was asked for one. */
export function writeErrorDocument({ code, kind, message, details }: LetheError): void {
  process.stdout.write(`${JSON.stringify({ error: { code, kind, message, details } }, undefined, 2)}\n`);
}

/** Checks settings against their schema; what a flag or a file got wrong is a usage error. */
export function parseSettings<S extends z.ZodType>(schema: S, input: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new LetheError(
    "usage",
    "USAGE_SETTINGS",
    `Expected valid settings of ${what}:\n${prettifyError(parsed.error)}`,
  );
}

/** An integer argument. */
export function parseInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("Expected a whole number.");
  return value;
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  const value = parseInteger(text);
  if (value < 1) throw new InvalidArgumentError("Expected a whole number from 1 on.");
  return value;
}

/** Several values in one argument, separated by white space. */
export function parseList<Value>(parse: (text: string) => Value): (text: string) => Value[] {
  return (text) => {
    const parts = text.split(/\s+/).filter((part) => part !== "");
    if (parts.length === 0) throw new InvalidArgumentError("Expected at least one value.");
    return parts.map((part) => parse(part));
  };
}

/** A real number. */
export function parseReal(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}
