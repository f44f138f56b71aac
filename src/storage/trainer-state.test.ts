import { describe, expect, it } from "vitest";
import type { TrainerState } from "../training/objective.ts";
import { encodeTensors } from "./safetensors.ts";
import { decodeState, encodeState } from "./trainer-state.ts";

const state: TrainerState = {
  weights: new Map([
    ["fc1.weight", Float32Array.of(0.1, -0.2, 1e-40)],
    ["optimizer/odd", Float32Array.of(Number.NaN)],
  ]),
  optimizer: new Map([
    ["momentum:fc1.weight", Float32Array.of(1, 2, 3)],
    ["weight/odd", Float32Array.of(-0)],
  ]),
  step: 345,
};

describe("a saved training state", () => {
  it("comes back to the last bit with the recipe it belongs to", () => {
    expect(decodeState(encodeState(state, "sha256:ab"), "x")).toEqual({ state, recipe: "sha256:ab" });
  });

  it("of plain descent, which keeps nothing, comes back too", () => {
    const bare = { ...state, optimizer: new Map(), step: 0 };
    expect(decodeState(encodeState(bare, ""), "x")).toEqual({ state: bare, recipe: "" });
  });

  it.each([
    ["another tensor file", {}],
    ["no recipe", { step: "3" }],
    ["no step", { recipe: "r" }],
    ["a step that is no number", { recipe: "r", step: "soon" }],
    ["an empty step", { recipe: "r", step: "" }],
    ["a negative step", { recipe: "r", step: "-1" }],
    ["half a step", { recipe: "r", step: "0.5" }],
  ])("is refused with %s", (_what, metadata) => {
    expect(() =>
      decodeState(
        encodeTensors({ tensors: new Map(), metadata: { ...metadata } as Record<string, string> }),
        "x.bin",
      ),
    ).toThrowError(
      expect.objectContaining({ code: "LETHE_DATA_CHECKPOINT", message: expect.stringContaining("x.bin") }),
    );
  });

  it("cut short is refused", () => {
    const bytes = encodeState(state, "r");
    expect(() => decodeState(bytes.subarray(0, bytes.length - 1), "x")).toThrowError(
      expect.objectContaining({ code: "LETHE_DATA_SAFETENSORS" }),
    );
  });
});
