import type { SimulationConfig } from "../federation/simulation/config.ts";

/** What a run does not show and where its rule is known to be weak, in sentences for the report. */
export function simulationLimits(config: SimulationConfig): readonly string[] {
  const { local, attack, unlearn, codec } = config;
  const limits = [
    "One run with one seed: differences below half a point of accuracy are noise. The repository's bench/results hold three seeds of every setting.",
    "A small attack success does not prove removal: a trigger is a mark that was put there to be found. What else the removed clients left is seen only by comparing with retraining.",
    "The membership test is a weak one: near 0.5 for every model of this size, the retrained one included. Read it as “not worse than retraining”, never as proof.",
    "The unlearned parameters stay far from the retrained ones even where the predictions agree; no formal guarantee (ε, δ) is claimed.",
  ];
  if (unlearn.method === "kronecker-response") {
    if (config.data.startsWith("fashion") && unlearn.help === "none") {
      limits.push(
        "On Fashion-MNIST without a repair round a few per cent of triggered images may still follow the trigger, more than after retraining: corner pixels are in honest use there.",
      );
    }
    if (attack.settings.trigger === "subspace") {
      limits.push(
        "A trigger made of the data's own principal components is partly taken for honest signal and survives in part: use a repair round.",
      );
    }
    if (local.optimizer.id !== "sgd") {
      limits.push(
        "With Adam clients the rule needs the clients' squared gradients and, on harder data, a repair round.",
      );
    }
  }
  if (codec.storedClientFraction < 1) {
    limits.push(
      "Rounds in which the removed client was not stored are filled in from its nearest stored update: some of its influence may remain.",
    );
  }
  return limits;
}
