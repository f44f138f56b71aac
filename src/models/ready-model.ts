import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import type { Architecture } from "./architecture.ts";

/** The sizes a ready architecture is made for. */
export interface ModelSizes {
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** Token ids are smaller than this; left out for samples that are no text. */
  readonly vocabulary?: number;
}

/** Settings of a ready architecture as they are written: words by name, for the schema to read. */
export type SettingsSchema = z.ZodType<unknown, Readonly<Record<string, unknown>>>;

/** A ready architecture by name. */
export interface ReadyModel {
  /** The word before the colon: `resnet18`. */
  readonly id: string;
  /** What it is, in one line for lists. */
  readonly title: string;
  /** The setting that may be written without its name: `resnet18:0.4`. */
  readonly shorthand?: string;
  /**
   * The architecture for samples of these sizes.
   *
   * @param settings - by name, as written; the schema of the model reads them
   * @param id - the whole text, `resnet18:0.4`
   */
  create(sizes: ModelSizes, settings: Readonly<Record<string, string>>, id: string): Architecture;
}

/** A ready architecture whose settings one schema describes: the only place where their defaults live. */
export function defineModel<S extends SettingsSchema>(model: {
  readonly id: string;
  readonly title: string;
  readonly shorthand?: string;
  readonly settings: S;
  readonly create: (sizes: ModelSizes, settings: z.output<S>, id: string) => Architecture;
}): ReadyModel {
  const { settings: schema, create, ...rest } = model;
  return {
    ...rest,
    create: (sizes, settings, id) => {
      const parsed = schema.safeParse(settings);
      if (parsed.success) return create(sizes, parsed.data, id);
      throw new LetheError(
        "usage",
        "USAGE_MODEL",
        `Expected valid settings in the model \`${id}\`: ${z.prettifyError(parsed.error)}`,
      );
    },
  };
}

/** No settings. */
export const NONE = z.strictObject({});

/**
 * Takes a model's text apart: `vit`, `resnet18:0.4`, `vit:patch=7,depth=4`.
 *
 * @returns the settings by name; `undefined` when the text is not of this form
 */
export function readModelText(text: string, model: ReadyModel): Readonly<Record<string, string>> | undefined {
  if (text === model.id) return {};
  if (!text.startsWith(`${model.id}:`)) return undefined;
  const argument = text.slice(model.id.length + 1);
  if (!argument.includes("="))
    return model.shorthand === undefined ? undefined : { [model.shorthand]: argument };
  const pairs = argument.split(",").map((pair) => pair.split("="));
  if (!pairs.every((pair): pair is [string, string] => pair.length === 2)) return undefined;
  return new Set(pairs.map(([name]) => name)).size === pairs.length ? Object.fromEntries(pairs) : undefined;
}
