import { type CodecConfig, codecConfigSchema } from "../history/config.ts";
import { quantisers } from "../history/quantisers/index.ts";
import { LetheError } from "../kernel/errors.ts";
import { parseSettings } from "./context.ts";

/** What may follow a quantiser's name: the setting that each of them is, none of them twice. */
const ADDITIONS: Readonly<Record<string, (value: number) => { key: keyof CodecConfig; setting: unknown }>> = {
  temporal: (tau) => ({ key: "threshold", setting: { mode: "temporal", tau } }),
  mean: (tau) => ({ key: "threshold", setting: { mode: "mean", tau } }),
  element: (tau) => ({ key: "threshold", setting: { mode: "element", tau } }),
  kappa: (share) => ({ key: "storedClientFraction", setting: share }),
  step: (stepPerRms) => ({ key: "rate", setting: { stepPerRms } }),
};

/** The help text of `--codec`. */
export const CODEC_HELP =
  "z:BITS, e8:BITS, int8 or none; add temporal:TAU, mean:TAU or element:TAU, and kappa:SHARE, after commas";

/**
 * Reads a codec such as `z:1.2`, `e8:2,temporal:1.1` or `z:1.2,kappa:0.5`.
 *
 * @throws LETHE_USAGE_CODEC, LETHE_USAGE_SETTINGS
 */
export function parseCodec(text: string): CodecConfig {
  const fail = (part: string): LetheError =>
    new LetheError("usage", "USAGE_CODEC", `Expected ${CODEC_HELP}; got \`${part}\` in \`${text}\`.`);
  const numberIn = (part: string, value: string): number => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw fail(part);
    return number;
  };
  const [first = "", ...rest] = text.split(",");
  const [quantiser, bits, ...more] = first.split(":");
  const known = Object.entries(quantisers).find(([id]) => id === quantiser)?.[1];
  if (known === undefined || more.length > 0 || (bits !== undefined && known.rateControl === "none"))
    throw fail(first);
  const config: Record<string, unknown> = { quantiser };
  if (bits !== undefined) config.rate = { bitsPerParameter: numberIn(first, bits) };
  for (const part of rest) {
    const [name, value = "", ...others] = part.split(":");
    const addition = Object.entries(ADDITIONS).find(([id]) => id === name)?.[1];
    if (addition === undefined || others.length > 0) throw fail(part);
    const { key, setting } = addition(numberIn(part, value));
    if (key in config) throw fail(part);
    config[key] = setting;
  }
  return parseSettings(codecConfigSchema, config, `the codec \`${text}\``);
}

/** The text {@link parseCodec} reads. */
export function formatCodec(config: CodecConfig): string {
  const { quantiser, rate, threshold, storedClientFraction } = config;
  const hasRate = quantisers[quantiser].rateControl !== "none";
  return [
    hasRate && "bitsPerParameter" in rate ? `${quantiser}:${rate.bitsPerParameter}` : quantiser,
    ...(hasRate && "stepPerRms" in rate ? [`step:${rate.stepPerRms}`] : []),
    ...(threshold.mode === "none" ? [] : [`${threshold.mode}:${threshold.tau}`]),
    ...(storedClientFraction === 1 ? [] : [`kappa:${storedClientFraction}`]),
  ].join(",");
}
