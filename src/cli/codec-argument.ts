import { type CodecConfig, codecConfigSchema } from "../history/config.ts";
import { LetheError } from "../kernel/errors.ts";
import { parseSettings } from "./context.ts";

/** The help text of `--codec`. */
export const CODEC_HELP =
  "z:BITS, e8:BITS, int8 or none; add temporal:TAU, mean:TAU or element:TAU, and kappa:SHARE, after commas";

/**
 * Reads a codec such as `z:1.2`, `e8:2,temporal:1.1` or `z:1.2,kappa:0.5`.
 *
 * @throws LETHE_USAGE_CODEC, LETHE_USAGE_SETTINGS
 */
export function parseCodec(text: string): CodecConfig {
  const [first = "", ...rest] = text.split(",");
  const [quantiser, bits] = first.split(":");
  const config: Record<string, unknown> = { quantiser };
  if (bits !== undefined) config.rate = { bitsPerParameter: Number(bits) };
  for (const part of rest) {
    const [name, value] = part.split(":");
    if (name === "temporal" || name === "mean" || name === "element")
      config.threshold = { mode: name, tau: Number(value) };
    else if (name === "kappa") config.storedClientFraction = Number(value);
    else if (name === "step") config.rate = { stepPerRms: Number(value) };
    else {
      throw new LetheError(
        "usage",
        "USAGE_CODEC",
        `Expected a codec such as ${CODEC_HELP}; got \`${part}\` in \`${text}\`.`,
      );
    }
  }
  return parseSettings(codecConfigSchema, config, `the codec \`${text}\``);
}

/** The text {@link parseCodec} reads. */
export function formatCodec(config: CodecConfig): string {
  const { quantiser, rate, threshold, storedClientFraction } = config;
  const hasRate = quantiser !== "none" && quantiser !== "int8";
  return [
    hasRate && "bitsPerParameter" in rate ? `${quantiser}:${rate.bitsPerParameter}` : quantiser,
    ...(hasRate && "stepPerRms" in rate ? [`step:${rate.stepPerRms}`] : []),
    ...(threshold.mode === "none" ? [] : [`${threshold.mode}:${threshold.tau}`]),
    ...(storedClientFraction === 1 ? [] : [`kappa:${storedClientFraction}`]),
  ].join(",");
}
