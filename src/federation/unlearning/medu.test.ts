import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClientId } from "../../kernel/client-id.ts";
import { consume } from "../../kernel/events.ts";
import { medu } from "./medu.ts";
import { recordedHistory, type WrittenRound } from "./testing/recorded-history.ts";
import { client, PLAIN_TRAINING, requestFor, vectorModel } from "./testing/request.ts";

const LENGTH = 3;
const model = vectorModel(LENGTH);

/** Rounds of a few clients with arbitrary shares and updates; the shares of a round add up to 1. */
const history = fc
  .array(
    fc.array(
      fc.record({
        share: fc.integer({ min: 1, max: 9 }),
        update: fc.array(fc.float({ min: -2, max: 2, noNaN: true }), {
          minLength: LENGTH,
          maxLength: LENGTH,
        }),
      }),
      { minLength: 4, maxLength: 4 },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((rounds) =>
    rounds.map((clients): WrittenRound => {
      const total = clients.reduce((sum, { share }) => sum + share, 0);
      return {
        participants: clients.map(({ share, update }, i) => ({
          client: client(i),
          weight: share / total,
          update: Float32Array.from(update),
        })),
      };
    }),
  );

describe("medu", () => {
  it("with α = 0 aggregates the history again without the leavers", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async (rounds, isPair) => {
        const leavers = isPair ? [client(0), client(2)] : [client(1)];
        const initial = Float32Array.of(0.5, -1, 2);
        const { weights } = await consume(
          medu.run(
            requestFor(model, recordedHistory(rounds), {
              finalWeights: initial.map((w, i) => w + sum(rounds, () => true, i)),
              leavers,
            }),
          ),
        );
        for (const [i, weight] of weights.entries()) {
          const kept = (initial[i] as number) + sum(rounds, (name) => !leavers.includes(name), i);
          expect(weight).toBeCloseTo(kept, 4);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("discounts by (1 + α) per later round, rounds without the leaver included", async () => {
    const rounds: WrittenRound[] = [
      { participants: [update(0, 0.5, 4), update(1, 0.5, 0)] },
      { participants: [update(1, 1, 1)] },
      { participants: [update(0, 0.5, 2), update(1, 0.5, 0)] },
    ];
    const { weights, evidence } = await consume(
      medu.run(requestFor(model, recordedHistory(rounds)), { alpha: -0.5 }),
    );
    // d = 2, 0, 1: e = 2·0.5² + 1.
    expect(weights[0]).toBe(-1.5);
    expect(evidence).toMatchObject({
      rounds: 3,
      correctedRounds: 2,
      recordsRead: 5,
      keptClients: 1,
      leavers: 1,
    });
  });

  it("follows server momentum as a brute-force simulation of the linear server does", async () => {
    const server = { momentum: 0.8, rate: 0.3 };
    const leaver = [3, -1, 0, 2, 1];
    const rounds = leaver.map(
      (value): WrittenRound => ({ participants: [update(0, 0.25, value), update(1, 0.75, 1)] }),
    );
    const simulate = (mean: (round: number) => number): number => {
      let weight = 0;
      let velocity = 0;
      for (const t of rounds.keys()) {
        velocity = server.momentum * velocity + mean(t);
        weight += server.rate * velocity;
      }
      return weight;
    };
    const trained = simulate((t) => 0.25 * (leaver[t] as number) + 0.75);
    const { weights } = await consume(
      medu.run(
        requestFor(model, recordedHistory(rounds), {
          finalWeights: new Float32Array(LENGTH).fill(trained),
          training: { ...PLAIN_TRAINING, server },
        }),
      ),
    );
    expect(weights[0]).toBeCloseTo(
      simulate(() => 1),
      5,
    );
  });

  it("stands in for unrecorded leavers as the estimator says", async () => {
    const share = { client: client(0), weight: 0.5 };
    const rounds: WrittenRound[] = [
      { participants: [update(1, 0.5, 0)], unrecorded: [share] },
      { participants: [update(0, 0.5, 2), update(1, 0.5, 0)] },
      { participants: [update(1, 0.5, 0)], unrecorded: [share] },
      { participants: [update(1, 0.5, 0)], unrecorded: [share] },
      { participants: [update(0, 0.5, 8), update(1, 0.5, 0)] },
      { participants: [update(0, 0.5, 2)], unrecorded: [{ client: client(1), weight: 0.5 }] },
    ];
    const removed = async (estimator: string): Promise<number> => {
      const request = requestFor(model, recordedHistory(rounds));
      return -((await consume(medu.run(request, { estimator }))).weights[0] as number);
    };
    // Recorded: 1 and 4; the last round has no kept record and says nothing. Held: 2 before, 2 and 8 in between.
    expect(await removed("skip")).toBe(5);
    expect(await removed("ipw")).toBe(5);
    expect(await removed("hold")).toBe(1 + 1 + 1 + 4 + 4);
  });

  it("weights recorded rounds by the inverse of the recorded share under ipw", async () => {
    const rounds: WrittenRound[] = [
      {
        participants: [update(0, 0.25, 4), update(1, 0.25, 0)],
        unrecorded: [
          { client: client(2), weight: 0.25 },
          { client: client(3), weight: 0.25 },
        ],
      },
    ];
    const { weights } = await consume(
      medu.run(requestFor(model, recordedHistory(rounds)), { estimator: "ipw" }),
    );
    expect(weights[0]).toBe(-2);
  });
});

function update(index: number, weight: number, value: number) {
  return { client: client(index), weight, update: new Float32Array(LENGTH).fill(value) };
}

/** Σ_t Σ_u p̃_u h_t^u over the clients that count. */
function sum(rounds: readonly WrittenRound[], counts: (name: ClientId) => boolean, element: number): number {
  return rounds.reduce((sum, { participants }) => {
    const counted = participants.filter(({ client }) => counts(client));
    const share = counted.reduce((total, { weight }) => total + weight, 0);
    return (
      sum +
      counted.reduce((part, { weight, update }) => part + (weight / share) * (update[element] as number), 0)
    );
  }, 0);
}
