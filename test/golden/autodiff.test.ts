import { describe, it } from "vitest";
import { goldenModels, type Settings } from "./autodiff-models.ts";
import { checkGolden, type GoldenCase, readGolden } from "./check-golden.ts";

/** A case of generate-autodiff.py: the name of its model, and that model's settings. */
interface ModelCase extends GoldenCase, Settings {
  readonly model: string;
}

describe("losses, gradients and Hessian-vector products equal PyTorch's", () => {
  const cases = readGolden<ModelCase>("autodiff.json");
  it.each(cases.map((entry) => [entry.name, entry] as const))("%s", async (_name, entry) => {
    const build = goldenModels[entry.model];
    if (build === undefined) throw new Error(`no model ${entry.model}`);
    await checkGolden(entry, (values) => build(values, entry));
  });
});
