import type { Dataset, Samples } from "../../data/dataset.ts";
import { materialised } from "../../data/materialised.ts";
import { LetheError } from "../../kernel/errors.ts";
import { deriveKey, type Key } from "../../kernel/key.ts";
import { type AttackFacts, createAttack } from "../attacks/index.ts";
import { partition } from "../partition.ts";
import { parseClientSizes, parsePartition } from "../partition-parse.ts";
import type { SimulatedClient } from "../rounds.ts";
import type { SimulationConfig } from "./config.ts";

/** The clients of a simulation and what is measured on them. */
export interface Population {
  readonly clients: readonly (SimulatedClient & { readonly isAttacker: boolean })[];
  /** The clients to forget. */
  readonly leavers: ReadonlySet<string>;
  /** The leavers' own samples, unpoisoned and with their true labels. */
  readonly leaverSamples: Samples;
  /** Test samples as the attacker presents them, labelled as it wants them answered; `undefined` without an attack. */
  readonly attacked: Samples | undefined;
  /** What was done to the model, and by whom; `undefined` where nobody attacks. */
  readonly attack: AttackInPlay | undefined;
}

/** An attack that some of the clients carry out. */
export interface AttackInPlay {
  readonly facts: AttackFacts;
  readonly attackers: readonly string[];
  /** True when every attacker is among the leavers: only then must the attack be gone with them. */
  readonly leaves: boolean;
}

/**
 * Divides a dataset among clients and lets the attackers poison theirs.
 *
 * @throws LETHE_USAGE_CLIENTS for client numbers that do not exist; what partition and attack throw
 */
export function createPopulation(config: SimulationConfig, dataset: Dataset, key: Key): Population {
  const positions = partition(
    parsePartition(config.partition),
    dataset.train,
    {
      clients: config.clients,
      sizes: parseClientSizes(config.sizes),
      ...(config.samplesPerClient === undefined ? {} : { samplesPerClient: config.samplesPerClient }),
    },
    key,
  );
  const attack = createAttack(config.attack.id, config.attack.settings, {
    honest: dataset.train,
    key: deriveKey(key, "attack"),
  });
  const attackers = attack.id === "none" ? [] : config.attackers;
  requireClients("attackers", attackers, config.clients);
  requireClients("unlearn.clients", config.unlearn.clients, config.clients);
  if (config.unlearn.clients.length >= config.clients) {
    throw new LetheError(
      "usage",
      "USAGE_CLIENTS",
      "Expected at least one client to be kept, got a request to forget all.",
    );
  }
  const clients = positions.map((own, index) => {
    const id = String(index);
    const samples = dataset.train.subset(own);
    if (!attackers.includes(index)) return { id, samples: materialised(samples), isAttacker: false };
    return {
      id,
      samples: materialised(attack.poison(samples, deriveKey(key, "poison", id))),
      distort: (update: Float32Array, parameterLength: number) =>
        boosted(update, attack.boost, parameterLength),
      isAttacker: true,
    };
  });
  const leavers = new Set(config.unlearn.clients.map(String));
  const leaverPositions = config.unlearn.clients.flatMap((index) => [...(positions[index] ?? [])]);
  return {
    clients: clients.map((client) =>
      leavers.has(client.id) ? { ...client, weightFactor: config.leaverWeight } : client,
    ),
    leavers,
    leaverSamples: dataset.train.subset(leaverPositions),
    attacked: attack.triggered(dataset.test),
    attack:
      attack.facts === undefined || attackers.length === 0
        ? undefined
        : {
            facts: attack.facts,
            attackers: attackers.map(String),
            leaves: attackers.every((attacker) => leavers.has(String(attacker))),
          },
  };
}

/** The parameters times a factor; running statistics are sent as they are. */
function boosted(update: Float32Array, boost: number, parameterLength: number): Float32Array {
  return update.map((value, index) => (index < parameterLength ? value * boost : value));
}

function requireClients(name: string, clients: readonly number[], count: number): void {
  const wrong = clients.find((client) => client >= count);
  if (wrong === undefined && new Set(clients).size === clients.length) return;
  throw new LetheError(
    "usage",
    "USAGE_CLIENTS",
    `Expected \`${name}\` to name distinct clients among 0 … ${count - 1}, got ${clients.join(", ")}.`,
  );
}
