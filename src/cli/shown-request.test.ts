import { expect, it } from "vitest";
import { withoutNames } from "./shown-request.ts";

it("names no person, and everything else", () => {
  expect(withoutNames("class:3,subject:Ada Lovelace,random:0.1")).toBe(
    "class:3,subject:(withheld),random:0.1",
  );
  expect(withoutNames("subject:a@b.example")).toBe("subject:(withheld)");
  expect(withoutNames("group:sex=f")).toBe("group:sex=f");
});
