import { z } from "zod";
import { LetheError } from "./errors.ts";

/**
 * Settings of a method, rule or metric with the defaults filled in.
 *
 * @throws LETHE_USAGE_CONFIG naming what is wrong and the settings there are
 */
export function checkedSettings<S extends z.ZodType>(id: string, config: S, settings: unknown): z.output<S> {
  const parsed = config.safeParse(settings);
  if (parsed.success) return parsed.data;
  const known = config instanceof z.ZodObject ? Object.keys(config.shape) : [];
  throw new LetheError(
    "usage",
    "USAGE_CONFIG",
    `Expected valid settings for \`${id}\` (${known.join(", ") || "it has none"}), got:\n${z.prettifyError(parsed.error)}`,
    { details: { id, settings: known }, cause: parsed.error },
  );
}
