import { describe, expect, it } from "vitest";
import { parseNamed } from "./named-settings.ts";

describe("a thing with settings in one argument", () => {
  it.each([
    ["cosine", { id: "cosine" }],
    ["sgd:momentum=0.8,nesterov=true", { id: "sgd", momentum: 0.8, nesterov: true }],
    ["milestones:at=0.5/0.75,warmUp=0.1", { id: "milestones", at: [0.5, 0.75], warmUp: 0.1 }],
  ])("is read from `%s`", (text, expected) => {
    expect(parseNamed(text)).toEqual(expected);
  });

  it.each(["", ":a=1", "sgd:", "sgd:momentum", "sgd:=1"])("is refused: `%s`", (text) => {
    expect(() => parseNamed(text)).toThrowError(/Expected N/);
  });
});
