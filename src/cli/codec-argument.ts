import { symbolCoders } from "../history/coding/index.ts";
import { type CodecConfig, codecConfigSchema } from "../history/config.ts";
import { quantisers } from "../history/quantisers/index.ts";
import { LetheError } from "../kernel/errors.ts";
import { parseSettings } from "./context.ts";

/** What may follow a quantiser's name: the setting that each of them is, none of them twice. */
const ADDITIONS: Readonly<
  Record<string, (value: number) => { readonly key: keyof CodecConfig; readonly setting: unknown }>
> = {
  temporal: (tau) => ({ key: "threshold", setting: { mode: "temporal", tau } }),
  mean: (tau) => ({ key: "threshold", setting: { mode: "mean", tau } }),
  element: (tau) => ({ key: "threshold", setting: { mode: "element", tau } }),
  kappa: (share) => ({ key: "storedClientFraction", setting: share }),
  step: (stepPerRms) => ({ key: "rate", setting: { stepPerRms } }),
  rotate: (period) => ({ key: "rotation", setting: { period } }),
  predict: (period) => ({ key: "prediction", setting: { period } }),
  feedback: (alpha) => ({ key: "feedback", setting: { alpha } }),
  fixed: (fixedBits) => ({ key: "rate", setting: { fixedBits } }),
};

/** What may follow and has no number. */
const MARKS: Readonly<Record<string, { readonly key: keyof CodecConfig; readonly setting: unknown }>> = {
  "non-subtractive": { key: "dither", setting: "non-subtractive" },
  ...Object.fromEntries(
    Object.keys(symbolCoders)
      .filter((id) => id !== "adaptive")
      .map((id) => [id, { key: "coder", setting: id }]),
  ),
};

/** The help text of `--codec`. */
export const CODEC_HELP =
  "QUANTISER:BITS or QUANTISER (`lethe codecs` lists them); add temporal:TAU, mean:TAU or element:TAU, kappa:SHARE, " +
  `step:SHARE or fixed:BITS, rotate:ROUNDS or predict:ROUNDS, feedback:ALPHA, ${Object.keys(MARKS).join(", ")}, after commas`;

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
    const mark = Object.entries(MARKS).find(([id]) => id === part)?.[1];
    const found = mark ?? addition?.(numberIn(part, value));
    if (found === undefined || others.length > 0) throw fail(part);
    const { key, setting } = found;
    if (key in config) throw fail(part);
    config[key] = setting;
  }
  return parseSettings(codecConfigSchema, config, `the codec \`${text}\``);
}

/** The text {@link parseCodec} reads. */
export function formatCodec(config: CodecConfig): string {
  const { quantiser, rate, threshold, storedClientFraction, dither, coder, rotation, prediction, feedback } =
    config;
  const hasRate = quantisers[quantiser].rateControl !== "none";
  return [
    hasRate && "bitsPerParameter" in rate ? `${quantiser}:${rate.bitsPerParameter}` : quantiser,
    ...(hasRate && "stepPerRms" in rate ? [`step:${rate.stepPerRms}`] : []),
    ...(hasRate && "fixedBits" in rate ? [`fixed:${rate.fixedBits}`] : []),
    ...(dither === "non-subtractive" ? [dither] : []),
    ...(rotation === undefined ? [] : [`rotate:${rotation.period}`]),
    ...(prediction === undefined ? [] : [`predict:${prediction.period}`]),
    ...(feedback === undefined ? [] : [`feedback:${feedback.alpha}`]),
    ...(coder === undefined || coder === "adaptive" ? [] : [coder]),
    ...(threshold.mode === "none" ? [] : [`${threshold.mode}:${threshold.tau}`]),
    ...(storedClientFraction === 1 ? [] : [`kappa:${storedClientFraction}`]),
  ].join(",");
}
