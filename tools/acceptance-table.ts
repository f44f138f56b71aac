import { z } from "zod";

const modelSchema = z.object({
  accuracy: z.number(),
  attackSuccess: z.number().optional(),
  removedClientAccuracy: z.number(),
});

/** What the README takes from `bench/results/acceptance.json`. */
export const acceptanceSchema = z.object({
  machine: z.object({ cores: z.number(), processor: z.string() }),
  cells: z.array(
    z.object({
      id: z.string(),
      isKnownWeak: z.boolean(),
      seeds: z.array(z.number()),
      models: z.record(z.string(), modelSchema),
      ratio: z.number(),
      checks: z.array(z.object({ text: z.string(), holds: z.boolean() })),
    }),
  ),
});

/** One row a cell: what was trained, what unlearning made of it, what retraining gives. */
export function acceptanceTable({ cells }: z.output<typeof acceptanceSchema>): string {
  const seeds = Math.max(...cells.map((cell) => cell.seeds.length));
  const figures = (model: z.output<typeof modelSchema> | undefined): string => {
    if (model === undefined) return "–";
    const attack = model.attackSuccess;
    return `${percent(model.accuracy)} / ${attack === undefined ? "–" : percent(attack)} / ${percent(model.removedClientAccuracy)}`;
  };
  const rows = cells.map(
    ({ id, isKnownWeak, models, ratio }) =>
      `| ${id.replaceAll("-", " ")}${isKnownWeak ? " *" : ""} | ${figures(models.trained)} | ${figures(models.theta3)} | ${figures(models.theta1repair)} | ${figures(models.retrained)} | ${ratio.toFixed(0)}× |`,
  );
  const missed = cells.flatMap(({ isKnownWeak, checks }) =>
    isKnownWeak ? [] : checks.filter(({ holds }) => !holds),
  );
  const all = cells.flatMap(({ isKnownWeak, checks }) => (isKnownWeak ? [] : checks));
  return [
    `Twenty clients, means over ${seeds} ${seeds === 1 ? "seed" : "seeds"}. Each cell: test accuracy / attack success / accuracy on the removed client's data. “Server alone” is`,
    "`kronecker-response` with no help; “one round” adds six local steps of every kept client; the last column is how much smaller the",
    "history is than float32.",
    "",
    "| setting | trained | unlearned, server alone | unlearned, one round | retrained | history |",
    "|---|---|---|---|---|---|",
    ...rows,
    "",
    `${all.length - missed.length} of ${all.length} limits hold. \\* Known weak cases, shown without limits: half of the updates not stored,`,
    "a trigger made of the data's own principal components, Adam clients.",
    "",
  ].join("\n");
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}
