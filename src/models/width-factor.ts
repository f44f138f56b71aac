import { z } from "zod";

/** More channels than four times the published ones are a typing error, not a model. */
const MAX_FACTOR = 4;

/** The setting `width`: a factor on the channels of every layer. */
export const widthFactor = z.coerce.number().positive().max(MAX_FACTOR).default(1);

/** A number of channels times a width factor, rounded down, at least 1. */
export function scaledWidth(channels: number, factor: number): number {
  return Math.max(1, Math.floor(channels * factor));
}
