import { type Html, html } from "../html.ts";
import type { SimulationReport } from "../simulation-report-schema.ts";
import { renderTable } from "../table.ts";

/** How to get these figures again, and by which digests to know that one has. */
export function renderProvenance({ provenance, run }: SimulationReport): Html {
  const { command, seed, versions, machine, digests } = provenance;
  return renderTable({
    caption: "How this run was made",
    columns: [{ title: "What" }, { title: "Value" }],
    rows: [
      ["Command", html`<code>${command}</code>`],
      ["Seed", String(seed)],
      ["Data", `${run.dataset}, ${run.clients} clients, ${run.partition}`],
      ["Model", run.model],
      ["Unlearning rule", html`${run.method.title} <code>${run.method.id}</code>`],
      ["Machine", machine],
      ...Object.entries(versions).map(([name, version]) => [name, version]),
      ...Object.entries(digests).map(([name, digest]) => [`Digest of ${name}`, html`<code>${digest}</code>`]),
    ],
  });
}
