import { type Retention, retentionSchema } from "../history/retention.ts";
import { LetheError } from "../kernel/errors.ts";
import { parseSettings } from "./context.ts";

/** The help text of `--history-mode`. */
export const MODE_HELP = "full, window:ROUNDS, accumulator:ALPHA or hybrid:ROUNDS,ALPHA";

/** The settings of each mode, in the order of the argument. */
const SETTINGS = {
  full: [],
  window: ["rounds"],
  accumulator: ["alpha"],
  hybrid: ["rounds", "alpha"],
} as const satisfies Record<Retention["mode"], readonly string[]>;

/**
 * Reads what a history keeps, such as `window:50` or `hybrid:20,-0.15`.
 *
 * @throws LETHE_USAGE_HISTORY_MODE, LETHE_USAGE_SETTINGS
 */
export function parseMode(text: string): Retention {
  const [mode, values, ...more] = text.split(":");
  const names = Object.entries(SETTINGS).find(([id]) => id === mode)?.[1];
  const numbers = values?.split(",") ?? [];
  if (names === undefined || more.length > 0 || numbers.length !== names.length || numbers.includes("")) {
    throw new LetheError("usage", "USAGE_HISTORY_MODE", `Expected ${MODE_HELP}, got \`${text}\`.`);
  }
  const settings = Object.fromEntries(names.map((name, at) => [name, Number(numbers[at])]));
  return parseSettings(retentionSchema, { mode, ...settings }, `the history mode \`${text}\``);
}

/** The text {@link parseMode} reads. */
export function formatMode(retention: Retention): string {
  const settings: Readonly<Record<string, unknown>> = retention;
  const values = SETTINGS[retention.mode].map((name) => settings[name]);
  return values.length === 0 ? retention.mode : `${retention.mode}:${values.join(",")}`;
}
