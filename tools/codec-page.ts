import { z } from "zod";

/** What the page needs of `lethe bench codec`'s document. */
export const codecResultsSchema = z.object({
  results: z.array(
    z.object({
      source: z.string(),
      codec: z.string(),
      targetBits: z.number().optional(),
      bitsPerParameter: z.number(),
      decibels: z.number().optional(),
      decibelsAboveBound: z.number().optional(),
      biasRatio: z.number().optional(),
      encodeMegabytesPerSecond: z.object({ median: z.number() }).optional(),
      decodeMegabytesPerSecond: z.object({ median: z.number() }).optional(),
    }),
  ),
});

type Results = z.output<typeof codecResultsSchema>["results"];

/** The page bench/results/codec.md: error and speed of every codec, a table for each source. */
export function codecPage({ results }: z.output<typeof codecResultsSchema>): string {
  const sources = [...new Set(results.map(({ source }) => source))];
  return [
    "# Codecs of updates",
    "",
    "Written by `npm run generate` from `codec.json`, which `lethe bench codec` measured. Error is 10 log10(‖x̂ − x‖²/‖x‖²) at the bits a",
    "parameter that a record really takes, in brackets; bias is K·(mean error)²/MSE over K = 20 dithers, 1 for an unbiased codec and",
    "20 for an error that is always the same. Speed is of whole records in one pass, MB of float32 a second, writing/reading.",
    "",
    ...sources.flatMap((source) => [
      `## ${source}`,
      "",
      ...table(results.filter((row) => row.source === source)),
      "",
    ]),
  ].join("\n");
}

function table(rows: Results): readonly string[] {
  const rates = [
    ...new Set(rows.flatMap(({ targetBits }) => (targetBits === undefined ? [] : [targetBits]))),
  ].sort((a, b) => a - b);
  const codecs = [
    ...new Set(rows.filter(({ targetBits }) => targetBits !== undefined).map(({ codec }) => codec)),
  ];
  const fixed = rows.filter(({ targetBits }) => targetBits === undefined);
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const columns = ["codec", ...rates.map((rate) => `${rate} b`), "bias", "MB/s"];
  return [
    line(columns),
    line(columns.map(() => "---")),
    ...codecs.map((codec) => {
      const own = rows.filter((row) => row.codec === codec);
      const cells = rates.map((rate) => error(own.find(({ targetBits }) => targetBits === rate)));
      return line([codec, ...cells, ...rest(own[Math.floor(own.length / 2)])]);
    }),
    ...fixed.map((row) => line([row.codec, error(row), ...rates.slice(1).map(() => ""), ...rest(row)])),
  ];
}

function error(row: Results[number] | undefined): string {
  if (row === undefined) return "";
  const bits = `(${row.bitsPerParameter.toFixed(2)})`;
  return row.decibels === undefined ? bits : `${row.decibels.toFixed(2)} ${bits}`;
}

function rest(row: Results[number] | undefined): readonly [bias: string, speed: string] {
  const speeds = [row?.encodeMegabytesPerSecond, row?.decodeMegabytesPerSecond];
  return [
    row?.biasRatio?.toFixed(2) ?? "",
    speeds.every((speed) => speed !== undefined)
      ? speeds.map((speed) => speed?.median.toFixed(0)).join("/")
      : "",
  ];
}
