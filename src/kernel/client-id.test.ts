import { expect, it } from "vitest";
import { clientId } from "./client-id.ts";

it("names a client by any text but the empty one", () => {
  expect(clientId("hospital-7")).toBe("hospital-7");
  expect(() => clientId("")).toThrow(/client's name/);
});
