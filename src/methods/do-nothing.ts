import { z } from "zod";
import { defineMethod } from "./define-method.ts";

/**
 * Gives the trained model back, w′ = w: a control. A metric on which it passes shows nothing.
 */
export const doNothing = defineMethod({
  id: "do-nothing",
  title: "The trained model as it is (control)",
  references: [],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget"],
  guarantee: "Forgets nothing: every audit has to fail it.",
  avoidWhen: "Always: it is a control for audits.",
  config: z.strictObject({}),
  async *run({ weights }) {
    yield {
      type: "notice",
      code: "CONTROL",
      message: "The trained model is given back as it is.",
      details: {},
    };
    return { weights };
  },
});
