import { describe, expect, it } from "vitest";
import { findMetric, listMetrics, metrics } from "./index.ts";

describe("the list of metrics", () => {
  it("gives each metric an id of its own, in kebab-case", () => {
    const ids = metrics.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
  });

  it.each(listMetrics())("says of $id what it is, needs, supports and does not show", (entry) => {
    for (const field of ["title", "formula", "range", "cost", "guarantee", "doesNotShow"] as const)
      expect(entry[field].length, field).toBeGreaterThan(5);
    expect(entry.needs.length).toBeGreaterThan(0);
    expect(entry.scope.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
    for (const reference of entry.references) expect(reference).toMatch(/\b(19|20)\d\d\b/);
  });

  it("has settings that are valid when nothing is set", () => {
    for (const { config } of metrics) if (config !== undefined) expect(() => config.parse({})).not.toThrow();
  });

  it("finds a metric by id, and names those there are for another", () => {
    expect(findMetric("klom").id).toBe("klom");
    expect(() => findMetric("kloom")).toThrow(/klom.*kloom/);
  });
});
