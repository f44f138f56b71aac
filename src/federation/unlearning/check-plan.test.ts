import { describe, expect, it } from "vitest";
import { checkPlan } from "./check-plan.ts";
import { unlearningRules } from "./index.ts";

describe("checkPlan", () => {
  const rule = unlearningRules["kronecker-response"];

  it("refuses what the rule would refuse after training", () => {
    expect(() => checkPlan(rule, { optimizer: "adamw", keptClients: 5 })).toThrow(/sgd or adam.*got `adamw`/);
    expect(() => checkPlan(rule, { optimizer: "sgd", keptClients: 1 })).toThrow(
      /at least 2 clients to be kept/,
    );
  });

  it("lets through what the rule can do, and anything for a rule without limits", () => {
    checkPlan(rule, { optimizer: "adam", keptClients: 2 });
    checkPlan(unlearningRules.medu, { optimizer: "adamw", keptClients: 1 });
  });
});
