import { describe, expect, it } from "vitest";
import { z } from "zod";
import { consume } from "../../kernel/events.ts";
import type { ClientFleet, UnlearningRequest, UnlearningRule } from "./contract.ts";
import { defineRule } from "./define-rule.ts";
import type { HistoryReader } from "./history-reader.ts";
import { unlearningRules } from "./index.ts";
import { recordedHistory, type WrittenRound } from "./testing/recorded-history.ts";
import { client, requestFor, vectorModel } from "./testing/request.ts";

const model = vectorModel(2);

const rules: readonly UnlearningRule[] = Object.values(unlearningRules);

describe.each(rules.filter(({ needs }) => !needs.includes("clients")))(
  "every rule of the server alone: $id",
  (rule) => {
    it("refuses unknown settings and a missing capability", async () => {
      const request = requestFor(model, history());
      await expect(consume(rule.run(request, { alhpa: 1 }))).rejects.toThrow(/alhpa/);
      const { history: _, ...poor } = request;
      await expect(consume(rule.run(poor))).rejects.toThrow(/Expected `history`/);
    });

    it("refuses to forget nobody, somebody twice, everybody or a stranger", async () => {
      const run = (changes: Partial<UnlearningRequest>) =>
        consume(rule.run(requestFor(model, history(), changes)));
      await expect(run({ leavers: [] })).rejects.toThrow(/at least one client/);
      await expect(run({ leavers: [client(0), client(0)] })).rejects.toThrow(/distinct/);
      await expect(run({ leavers: Array.from({ length: 20 }, (_, i) => client(i)) })).rejects.toThrow(
        /to be left/,
      );
      await expect(run({ leavers: [client(9)] })).rejects.toThrow(
        /client-9, which the history does not know/,
      );
    });

    it("refuses to pretend when a leaver took part but was never recorded", async () => {
      const { rounds, read } = history();
      const unrecorded = [{ client: client(7), weight: 0 }];
      const sampled: HistoryReader = {
        rounds,
        async *read(selection) {
          for await (const round of read(selection)) yield { ...round, unrecorded };
        },
      };
      const run = rule.run(requestFor(model, sampled, { leavers: [client(0), client(7)] }));
      await expect(consume(run)).rejects.toThrow(/none of client-7/);
    });

    it("refuses NaN in weights and in updates, naming the round and the client", async () => {
      const finalWeights = Float32Array.of(0, Number.NaN);
      await expect(consume(rule.run(requestFor(model, history(), { finalWeights })))).rejects.toThrow(
        /element 1/,
      );
      for (const spoilt of [0, 1]) {
        const run = rule.run(requestFor(model, history({ round: 3, client: spoilt })));
        await expect(consume(run)).rejects.toThrow(`round 3 from client client-${spoilt}`);
      }
    });

    it("refuses a history with a gap, a missing end or updates of another length", async () => {
      const { rounds, read } = history();
      const gap = { rounds, read: () => read({ wants: (round) => round !== 2 }) };
      await expect(consume(rule.run(requestFor(model, gap)))).rejects.toThrow(/Expected round 2/);
      const short = { rounds: rounds + 1, read };
      await expect(consume(rule.run(requestFor(model, short)))).rejects.toThrow(/got the end/);
      const run = rule.run(requestFor(vectorModel(3), history()));
      await expect(consume(run)).rejects.toThrow(/3 elements/);
    });

    it("gives the same bits twice, leaves its inputs alone and counts what it read", async () => {
      const finalWeights = Float32Array.of(1, 2);
      const initialWeights = Float32Array.of(3, 4);
      const source = history();
      const request = requestFor(model, source, { finalWeights, initialWeights });
      const first = await consume(rule.run(request));
      expect(first.evidence.recordsRead).toBe(3 * source.roundsRead);
      expect((await consume(rule.run(request))).weights).toEqual(first.weights);
      expect(first.weights).not.toBe(finalWeights);
      expect([...finalWeights, ...initialWeights]).toEqual([1, 2, 3, 4]);
    });

    it("stops at a cancellation wherever it comes", async () => {
      const events = await countEvents(rule.run(requestFor(model, history())));
      // Past the last event there is nothing left to cancel.
      for (let stop = 1; stop < events; stop++) {
        const controller = new AbortController();
        let seen = 0;
        const run = rule.run(requestFor(model, history(), { signal: controller.signal }));
        const end = consume(run, () => {
          seen++;
          if (seen === stop) controller.abort();
        });
        await expect(end).rejects.toThrow(/cancelled/);
      }
    });
  },
);

describe.each(rules.filter(({ needs }) => needs.includes("clients")))(
  "every rule that asks the clients: $id",
  (rule) => {
    const asked: { round: number; clients: readonly string[] }[] = [];
    const fleet: ClientFleet = {
      clients: [0, 1, 2].map(client),
      runRound: async ({ weights, round, clients }) => {
        asked.push({ round, clients });
        return weights.map((value) => value + 1);
      },
    };

    it("refuses unknown settings and missing clients", async () => {
      const request = { ...requestFor(model, history()), clients: fleet };
      await expect(consume(rule.run(request, { alhpa: 1 }))).rejects.toThrow(/alhpa/);
      await expect(consume(rule.run(requestFor(model, history())))).rejects.toThrow(/Expected `clients`/);
    });

    it("asks kept clients only, in rounds that follow one another, and leaves its inputs alone", async () => {
      asked.length = 0;
      const finalWeights = Float32Array.of(1, 2);
      const request = { ...requestFor(model, history(), { finalWeights }), clients: fleet };
      const { weights, evidence } = await consume(rule.run(request));
      expect(asked.length).toBeGreaterThan(0);
      for (const [index, { round, clients }] of asked.entries()) {
        expect(clients).toEqual([client(1), client(2)]);
        expect(round).toBe((asked[0]?.round ?? 0) + index);
      }
      expect(evidence).toMatchObject({ recordsRead: 0, keptClients: 2, leavers: 1 });
      expect(weights).not.toBe(finalWeights);
      expect([...finalWeights]).toEqual([1, 2]);
    });

    it("stops at a cancellation wherever it comes", async () => {
      const controller = new AbortController();
      const request = { ...requestFor(model, history(), { signal: controller.signal }), clients: fleet };
      const end = consume(rule.run(request), () => controller.abort());
      await expect(end).rejects.toThrow(/cancelled/);
    });
  },
);

describe("retrain", () => {
  it("starts at the first weights and lasts as long as training", async () => {
    const rounds: number[] = [];
    const fleet: ClientFleet = {
      clients: [0, 1].map(client),
      runRound: async ({ weights, round }) => {
        rounds.push(round);
        return weights.map((value) => 2 * value);
      },
    };
    const initialWeights = Float32Array.of(1, -1);
    const request = { ...requestFor(model, history(), { initialWeights }), clients: fleet };
    const { weights } = await consume(unlearningRules.retrain.run(request));
    expect(rounds).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...weights]).toEqual([64, -64]);
  });
});

describe("defineRule", () => {
  it("hands over the declared capabilities and parsed settings, and registers under the rule's own id", async () => {
    const rule = defineRule({
      id: "example",
      title: "Example",
      references: [],
      needs: ["clients"],
      guarantee: "None.",
      config: z.strictObject({ rounds: z.int().default(2) }),
      async *run({ clients, finalWeights }, { rounds }) {
        yield { type: "started", operation: "unlearn", details: {} };
        const weights = await clients.runRound({
          weights: finalWeights,
          round: rounds,
          clients: clients.clients,
        });
        return {
          weights,
          diagnosis: { verdict: "unjudged", values: {}, warnings: [] },
          evidence: {
            rounds,
            correctedRounds: 0,
            recordsRead: 0,
            keptClients: 1,
            leavers: 1,
            treatments: [],
          },
        };
      },
    });
    const request = requestFor(model, history());
    await expect(consume(rule.run(request))).rejects.toThrow(/Expected `clients` for the rule `example`/);
    const clients: ClientFleet = {
      clients: [client(1)],
      runRound: async ({ weights, round }) => weights.map(() => round),
    };
    expect([...(await consume(rule.run({ ...request, clients }))).weights]).toEqual([2, 2]);
    for (const [id, registered] of Object.entries(unlearningRules)) expect(registered.id).toBe(id);
  });
});

/** Six rounds of three clients, deterministic; optionally one spoilt record. */
function history(spoilt?: { readonly round: number; readonly client: number }) {
  return recordedHistory(
    Array.from(
      { length: 6 },
      (_, round): WrittenRound => ({
        participants: [0, 1, 2].map((i) => ({
          client: client(i),
          weight: 1 / 3,
          update: Float32Array.of(
            Math.sin(3 * round + i),
            spoilt?.round === round && spoilt.client === i ? Number.NaN : Math.cos(round - i),
          ),
        })),
      }),
    ),
  );
}

async function countEvents(run: AsyncGenerator<unknown, unknown, void>): Promise<number> {
  let events = 0;
  for await (const _ of run) events++;
  return events;
}
