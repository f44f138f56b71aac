import { z } from "zod";
import { defineAttack } from "./attack.ts";

/** An honest client, written as an attack so that runs with and without one are the same code. */
export const none = defineAttack({
  id: "none",
  title: "No attack",
  config: z.strictObject({}),
  create: () => ({ boost: 1, facts: undefined, poison: (samples) => samples, triggered: () => undefined }),
});
