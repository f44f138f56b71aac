import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { blobDataset } from "../../test/support/blobs.ts";
import { type SimulationInput, simulationSchema } from "../federation/simulation/config.ts";
import { simulate } from "../federation/simulation/simulate.ts";
import { consume } from "../kernel/events.ts";
import { createModel } from "../models/index.ts";
import { renderSimulationReport } from "../report/simulation-report.ts";
import { createHistory } from "../storage/sqlite/history-store.ts";
import { simulationDocument } from "./simulation-document.ts";
import { simulationReportData } from "./simulation-report-data.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-report-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const IMAGES = [1, 8, 8];
const TABLE = [6];
const TINY = { clients: 4, rounds: 2, samplesPerClient: 20, local: { epochs: 1, batchSize: 10 } } as const;

/** The report's data of a run of a second, and the page's text. */
async function reportOf(input: SimulationInput, featureShape: readonly number[] = IMAGES) {
  const dataset = blobDataset({ featureShape, classes: 3, train: 120, test: 60 });
  const config = simulationSchema.parse({ ...TINY, ...input });
  const outcome = await consume(
    simulate(config, {
      dataset,
      architecture: createModel("mlp:8", { inputShape: featureShape, classes: 3 }),
      runtime: { threads: 1, spinning: false },
      openHistory: (name, header) => createHistory(join(directory, `${name}.db`), header),
    }),
  );
  const machine = { cores: 1, processor: "one", system: "some", versions: {} };
  const document = simulationDocument(config, outcome, machine);
  const data = await simulationReportData(config, outcome, document, { dataset, command: "lethe simulate" });
  return { data, page: renderSimulationReport(data) };
}

describe("the report of a run", () => {
  it("tells a backdoor's trigger as it is on images of this size, with the attack's own defaults", async () => {
    const { data, page } = await reportOf({ attack: { id: "backdoor" } });
    expect(data.run.attack).toEqual({
      kind: "backdoor",
      by: ["client 0"],
      trigger: "a white pixel near the lower right corner",
      target: "0",
      poisonedShare: 0.5,
      boost: 10,
    });
    expect(data.examples?.items.length).toBeGreaterThan(0);
    expect(page).toContain("had planted a backdoor");
  });

  it("tells of a label flip without a trigger, and shows its success", async () => {
    const { data, page } = await reportOf({ attack: { id: "labelflip" } });
    expect(data.run.attack).toEqual({ kind: "labelflip", by: ["client 0"], poisonedShare: 1, boost: 5 });
    expect(data.attackSuccess).toBeDefined();
    expect(data.examples).toBeUndefined();
    expect(page).toContain("had taught 100.0% of the local images as the class after their own");
    expect(page).not.toMatch(/backdoor|trigger/i);
  });

  it("of honest clients has no word of an attack, and is refused where they left no mark", async () => {
    // Every model learns these data, whoever is left out.
    const { data, page } = await reportOf({
      rounds: 12,
      partition: "iid",
      local: { epochs: 5, batchSize: 5 },
    });
    expect(data.run.attack).toBeUndefined();
    expect(data.attackSuccess).toBeUndefined();
    expect(page).not.toMatch(/attack success|backdoor|trigger/i);
    expect(data.verdict).toBe("refused");
    expect(page).toContain("left no mark");
  });

  it("leaves out the success of an attacker who stays, and says so", async () => {
    const { data, page } = await reportOf({ attack: { id: "backdoor" }, attackers: [1] });
    expect(data.run.attack).toBeUndefined();
    expect(data.attackSuccess).toBeUndefined();
    expect(data.series?.trained.every(({ attackSuccess }) => attackSuccess === undefined)).toBe(true);
    expect(page).toContain("Client 1 attacked, and not all attackers were removed");
  });

  it("of a table does not speak of images", async () => {
    const { page } = await reportOf({ attack: { id: "labelflip" } }, TABLE);
    expect(page.replace(/<style>[\s\S]*?<\/style>/, "")).not.toMatch(/\bimages?\b/i);
  });

  it("shows both statistics of a rule that judges itself, and none of one that cannot", async () => {
    const own = await reportOf({ attack: { id: "backdoor" }, rounds: 10, codec: { quantiser: "none" } });
    expect(own.data.diagnosis).toMatchObject({ rho: expect.any(Number), pi: expect.any(Number) });
    rmSync(join(directory, "main.db"));
    const medu = await reportOf({ attack: { id: "backdoor" }, unlearn: { method: "medu" } });
    expect(medu.data.diagnosis).toBeUndefined();
  });
});
