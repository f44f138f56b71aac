import { a2 } from "./a2.ts";
import type { Quantiser } from "./contract.ts";
import { d4 } from "./d4.ts";
import { e8 } from "./e8.ts";
import { float32 } from "./float32.ts";
import { int8 } from "./int8.ts";
import { tcq4, tcq8, tcq64 } from "./tcq.ts";
import { z } from "./z.ts";

/** Every quantiser by its id; the place to register a new one. */
export const quantisers = {
  z,
  a2,
  d4,
  e8,
  tcq4,
  tcq8,
  tcq64,
  none: float32,
  int8,
} as const satisfies Record<string, Quantiser>;

/** The permanent name of a quantiser. */
export type QuantiserId = keyof typeof quantisers;

/** The quantiser of a record, undefined for a number that this version does not know. */
export function quantiserByWireId(wireId: number): Quantiser | undefined {
  return Object.values<Quantiser>(quantisers).find((quantiser) => quantiser.wireId === wireId);
}
