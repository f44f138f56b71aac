import type { SimulationConfig } from "../federation/simulation/config.ts";
import type { AttackInPlay } from "../federation/simulation/population.ts";
import type { Quantiser } from "../history/quantisers/contract.ts";
import { type QuantiserId, quantisers } from "../history/quantisers/index.ts";

/**
 * What a run does not show and where its rule is known to be weak, in sentences for the report.
 *
 * @param attack - who attacked, as the run found it
 */
export function simulationLimits(
  config: SimulationConfig,
  attack: AttackInPlay | undefined,
): readonly string[] {
  const { codec, unlearn } = config;
  return [
    "One run with one seed: differences below half a point of accuracy are noise. The repository's bench/results hold the runs the defaults were chosen by.",
    ...attackLimits(attack),
    "The membership test is a weak one, on small models often near 50% whatever they have seen. Read it as “not worse than retraining”, never as proof.",
    "The unlearned parameters stay far from the retrained ones even where the predictions agree; no formal guarantee (ε, δ) is claimed.",
    ...(unlearn.method === "kronecker-response" ? kroneckerLimits(config, attack) : []),
    ...biasLimits(codec.quantiser),
    ...(unlearn.scope === "window"
      ? [
          "The removed client was taken out of the last rounds alone, those in the history's window: what it did before is still in the model.",
        ]
      : []),
    ...("alpha" in config.historyMode && unlearn.scope === "everything"
      ? [
          "The history kept sums in place of single updates: another discount, another rule or an audit of single updates is not possible any more.",
        ]
      : []),
    ...(codec.storedClientFraction < 1
      ? [
          "Rounds in which the removed client was not stored are filled in from its nearest stored update: some of its influence may remain.",
        ]
      : []),
  ];
}

function biasLimits(id: QuantiserId): readonly string[] {
  const quantiser: Quantiser = quantisers[id];
  return quantiser.bias === undefined
    ? []
    : [`The stored updates are biased, and errors may add up over rounds. ${quantiser.bias}`];
}

function attackLimits(attack: AttackInPlay | undefined): readonly string[] {
  if (attack === undefined) return [];
  if (attack.leaves) {
    return [
      "A small attack success does not prove removal: an attack is a mark that was put there to be found. What else the removed clients left is seen only by comparing with retraining.",
    ];
  }
  const { attackers } = attack;
  const who = `${attackers.length === 1 ? "Client" : "Clients"} ${attackers.join(", ")} attacked`;
  return [
    `${who}, and not all attackers were removed: the attack is in the retrained model as well, so its success is left out of this page.`,
  ];
}

function kroneckerLimits(
  { data, local, unlearn }: SimulationConfig,
  attack: AttackInPlay | undefined,
): readonly string[] {
  const backdoor = attack?.leaves && attack.facts.kind === "backdoor" ? attack.facts : undefined;
  return [
    ...(backdoor !== undefined && data === "fashion-mnist" && unlearn.help === "none"
      ? [
          "On Fashion-MNIST without a repair round a few per cent of triggered images may still follow the trigger, more than after retraining: corner pixels are in honest use there.",
        ]
      : []),
    ...(backdoor?.isOfData
      ? [
          "A trigger made of the data's own principal components is partly taken for honest signal and survives in part: use a repair round.",
        ]
      : []),
    ...(local.optimizer.id === "sgd"
      ? []
      : [
          "With Adam clients the rule needs the clients' squared gradients and, on harder data, a repair round.",
        ]),
  ];
}
