import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PLAIN_TRAINING } from "../testing/request.ts";
import { defaultTheta, momentumGain, responseScale } from "./response-scale.ts";

describe("momentumGain", () => {
  it("equals the distance heavy-ball steps travel under a constant gradient, over that of plain steps", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (mu, steps) => {
          let velocity = 0;
          let position = 0;
          for (let step = 0; step < steps; step++) {
            velocity = mu * velocity + 1;
            position += velocity;
          }
          expect(momentumGain(mu, steps)).toBeCloseTo(position / steps, 8);
        },
      ),
    );
  });

  it("is 6.55 for μ = 0.9 and 24 steps", () => {
    expect(momentumGain(0.9, 24)).toBeCloseTo(6.55, 1);
  });
});

describe("responseScale", () => {
  it("is θB/η at two local epochs without momentum", () => {
    expect(responseScale(PLAIN_TRAINING, 3)).toBeCloseTo(1500);
  });

  it("falls with epochs and with momentum", () => {
    expect(responseScale({ ...PLAIN_TRAINING, localEpochs: 5 }, 3)).toBeCloseTo(600);
    const withMomentum = responseScale({ ...PLAIN_TRAINING, clientMomentum: 0.9 }, 3);
    expect(withMomentum).toBeCloseTo(1500 / momentumGain(0.9, 24));
  });

  it("refuses optimizers it does not understand and facts out of range", () => {
    expect(() => responseScale({ ...PLAIN_TRAINING, optimizer: "adagrad" }, 3)).toThrow(/`adagrad`/);
    expect(() => responseScale({ ...PLAIN_TRAINING, learningRate: 0 }, 3)).toThrow(/learningRate/);
    expect(() => responseScale({ ...PLAIN_TRAINING, clientMomentum: 1 }, 3)).toThrow(/clientMomentum/);
  });
});

describe("defaultTheta", () => {
  it("is 3 alone, 1 before a repair round and 10 for eight kept clients or fewer", () => {
    expect(defaultTheta(19, "none")).toBe(3);
    expect(defaultTheta(19, "repair-round")).toBe(1);
    expect(defaultTheta(8, "none")).toBe(10);
    expect(defaultTheta(8, "repair-round")).toBe(10);
  });
});
