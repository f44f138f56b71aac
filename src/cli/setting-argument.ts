import { InvalidArgumentError } from "commander";

/** Collects `name=value` arguments; values that read as JSON (numbers, true, lists) are taken as such. */
export function parseSetting(
  text: string,
  earlier: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Expected NAME=VALUE.");
  return { ...earlier, [text.slice(0, at)]: readValue(text.slice(at + 1)) };
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a word.
    return text;
  }
}
