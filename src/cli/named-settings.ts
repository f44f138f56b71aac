import { InvalidArgumentError } from "commander";
import { parseSetting } from "./setting-argument.ts";

/** A thing chosen by name, with settings. */
export type NamedSettings = { readonly id: string } & Readonly<Record<string, unknown>>;

/**
 * Reads `NAME` or `NAME:SETTING=VALUE,SETTING=VALUE`; several values of one setting are separated by slashes.
 *
 * @example parseNamed("milestones:at=0.5/0.75,factor=0.1") // { id: "milestones", at: [0.5, 0.75], factor: 0.1 }
 */
export function parseNamed(text: string): NamedSettings {
  const colon = text.indexOf(":");
  const id = colon < 0 ? text : text.slice(0, colon);
  if (id === "") throw new InvalidArgumentError("Expected NAME or NAME:SETTING=VALUE,….");
  const pairs = colon < 0 ? [] : text.slice(colon + 1).split(",");
  const settings = pairs.reduce<Record<string, unknown>>((earlier, pair) => parseSetting(pair, earlier), {});
  const lists = Object.entries(settings).map(([name, value]) =>
    typeof value === "string" && value.includes("/") ? [name, value.split("/").map(Number)] : [name, value],
  );
  return { ...Object.fromEntries(lists), id };
}
