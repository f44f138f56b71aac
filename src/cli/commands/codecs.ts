import { Command } from "commander";
import { CODEC_HELP } from "../codec-argument.ts";
import { listCodecs, listSymbolCoders } from "../codec-listing.ts";
import { type CommonOptions, defineAction } from "../context.ts";

/** `lethe codecs`: how a history can store updates. */
export function codecsCommand(): Command {
  const command = new Command("codecs").description(
    "List the codecs of update histories: what is biased, what can be set, at which rates.",
  );
  return defineAction<CommonOptions>(command, "out", async () => {
    const [quantisers, coders] = [listCodecs(), listSymbolCoders()];
    const width = Math.max(...quantisers.map(({ id }) => id.length));
    const indent = " ".repeat(width + 2);
    const lines = quantisers.flatMap(
      ({ id, title, isUnbiased, bias, parameters, bitsRange: [least, most], source }) => [
        `${id.padEnd(width)}  ${title}`,
        `${indent}${isUnbiased ? "unbiased" : `biased: ${bias}`}`,
        `${indent}${least === most ? `${least}` : `${least} to ${most}`} bits a parameter` +
          (parameters.length === 0 ? "" : `; sets: ${parameters.join(", ")}`),
        `${indent}${source}`,
      ],
    );
    return {
      json: { quantisers, coders },
      text: [
        ...lines,
        "",
        "Coders of symbols:",
        ...coders.map(({ id, title }) => `${id.padEnd(width)}  ${title}`),
        "",
        `As --codec: ${CODEC_HELP}.`,
      ],
    };
  });
}
