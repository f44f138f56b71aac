import { describe, expect, it } from "vitest";
import { SEAL_BYTES, type SealIdentity } from "../../history/sealed-bytes.ts";
import { keyFromSeed, randomStream } from "../../kernel/key.ts";
import { seal, unseal } from "./seal.ts";

const key = randomBytes(1, 32);
const here: SealIdentity = { history: "sha256:1", client: "anna", part: "record", counter: 3 };

describe("encrypted bytes", () => {
  it.each([0, 1, 40, 5000])("of %i bytes come back with their key, and are as long as is said", (length) => {
    const plain = randomBytes(length, length);
    const sealed = seal(key, here, plain);
    expect(sealed).toHaveLength(length + SEAL_BYTES);
    expect(unseal(key, here, sealed)).toEqual(plain);
  });

  it("do not open with another key, in another place, or changed anywhere", () => {
    const sealed = seal(key, here, randomBytes(9, 100));
    const refused = { code: "LETHE_INTEGRITY_SEAL" };
    expect(() => unseal(randomBytes(2, 32), here, sealed)).toThrow(expect.objectContaining(refused));
    const elsewhere: readonly Partial<SealIdentity>[] = [
      { history: "sha256:2" },
      { client: "bert" },
      { part: "auxiliary record" },
      { counter: 4 },
      // The same letters, divided otherwise.
      { client: "ann", part: "arecord" },
    ];
    for (const change of elsewhere) {
      expect(() => unseal(key, { ...here, ...change }, sealed)).toThrow(expect.objectContaining(refused));
    }
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => unseal(key, here, changed)).toThrow(expect.objectContaining(refused));
    }
    for (const length of [0, 4, SEAL_BYTES - 1, sealed.length - 1]) {
      expect(() => unseal(key, here, sealed.subarray(0, length))).toThrow(expect.objectContaining(refused));
    }
  });

  it("never have one nonce for two contents or two places, and are the same for the same", () => {
    const nonces = new Set<string>();
    for (let counter = 0; counter < 200; counter++) {
      for (const plain of [randomBytes(1, 64), randomBytes(counter, 64)]) {
        nonces.add(Buffer.from(seal(key, { ...here, counter }, plain).subarray(5, 17)).toString("hex"));
      }
    }
    // Round 1 was given the same content twice.
    expect(nonces.size).toBe(399);
    expect(seal(key, here, randomBytes(1, 64))).toEqual(seal(key, here, randomBytes(1, 64)));
  });
});

function randomBytes(seed: number, length: number): Uint8Array {
  const stream = randomStream(keyFromSeed(seed));
  return Uint8Array.from({ length }, () => stream.below(256));
}
