import { expect, it } from "vitest";
import { parseCodec } from "./codec-argument.ts";
import { listCodecs } from "./codec-listing.ts";

it("lists every codec with what it says of its bias, and each can be asked for by its name", () => {
  const listing = listCodecs();
  for (const { id, bitsRange, source, title } of listing) {
    expect(parseCodec(id).quantiser).toBe(id);
    expect(bitsRange[0]).toBeLessThanOrEqual(bitsRange[1]);
    expect(source.length * title.length).toBeGreaterThan(0);
  }
  const unbiased = listing.filter(({ isUnbiased }) => isUnbiased).map(({ id }) => id);
  expect(unbiased).toEqual(["z", "a2", "d4", "e8", "tcq4", "tcq8", "tcq64", "randk", "none"]);
});
