import { renderBarTable } from "../bar-table.ts";
import { formatBytes, formatCount, formatPercent, formatRatio, formatSignificant } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { renderTable } from "../table.ts";

/** What the update history takes, and what its bytes are made of. */
export function renderStorage({ history, run }: SimulationReport): Html {
  const { parameters, updates, rawBytes, storedBytes, bitsPerParameter, breakdown } = history;
  const largest = breakdown?.toSorted((a, b) => b.bytes - a.bytes)[0];
  return html`<p>Codec: ${run.codec.title} <code>${run.codec.id}</code>.</p>
${renderTable({
  caption: "The update history",
  columns: [{ title: "What" }, { title: "Amount", numeric: true }],
  rows: [
    ["Parameters of the model", formatCount(parameters)],
    ["Client updates kept", formatCount(updates)],
    ["As float32", formatBytes(rawBytes)],
    ["Stored", formatBytes(storedBytes)],
    storedBytes < rawBytes
      ? ["Smaller by", formatRatio(rawBytes, storedBytes)]
      : ["Larger by", formatRatio(storedBytes, rawBytes)],
    ["Bits for each parameter of each update", formatSignificant(bitsPerParameter)],
  ],
})}
${
  breakdown !== undefined &&
  largest !== undefined &&
  renderBarTable({
    title: "What the stored bytes are",
    note: `Together ${formatBytes(storedBytes)}; “${largest.part}” is ${formatPercent(largest.bytes / storedBytes)} of it.`,
    full: Math.max(...breakdown.map(({ bytes }) => bytes)),
    rows: breakdown.map(({ part, bytes }) => ({
      label: part,
      role: "plain",
      value: bytes,
      text: formatBytes(bytes),
    })),
  })
}`;
}
