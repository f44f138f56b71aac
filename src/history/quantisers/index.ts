import { a2 } from "./a2.ts";
import type { Quantiser } from "./contract.ts";
import { d4 } from "./d4.ts";
import { deadZone } from "./dead-zone.ts";
import { dq4, dq8 } from "./dependent.ts";
import { e8 } from "./e8.ts";
import { float16 } from "./float16.ts";
import { float32 } from "./float32.ts";
import { int4 } from "./int4.ts";
import { int8 } from "./int8.ts";
import { randK } from "./rand-k.ts";
import { tcq4, tcq8, tcq64 } from "./tcq.ts";
import { topK } from "./top-k.ts";
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
  deadzone: deadZone,
  dq4,
  dq8,
  topk: topK,
  randk: randK,
  int4,
  int8,
  float16,
  none: float32,
} as const satisfies Record<string, Quantiser>;

/** The permanent name of a quantiser. */
export type QuantiserId = keyof typeof quantisers;

/** The quantiser of a record, undefined for a number that this version does not know. */
export function quantiserByWireId(wireId: number): Quantiser | undefined {
  return Object.values<Quantiser>(quantisers).find((quantiser) => quantiser.wireId === wireId);
}
