import { controlFlowLimits } from "../src/onnx/control-flow.ts";
import type { Operator, OperatorTable } from "../src/onnx/ir.ts";
import { NEWEST_OPSET, OLDEST_OPSET } from "../src/onnx/read-model.ts";

/** `docs/operators.md`: every operator with its opsets, how often it can be differentiated, and what of it is not read. */
export function operatorsPage(operators: OperatorTable): string {
  const all = [...operators.values()].sort(byName);
  const refused = all.filter(({ isRefused }) => isRefused);
  const rows = all
    .filter(({ isRefused }) => !isRefused)
    .map((operator) => {
      const { type, limits = "" } = operator;
      return `| ${type} | ${domainOf(operator)} | ${opsetsOf(operator)} | ${orderOf(operator)} | ${limits} |`;
    });
  return `${[
    "# Operators",
    "",
    `Written by \`tools/generate.ts\` from the table in \`src/autodiff/operators/index.ts\`: ${rows.length} operators.`,
    "",
    "*Derivatives* says how often the result can be differentiated: `any` number of times, or `0` where it is constant in",
    "pieces (comparisons, indices, shapes): gradients stop there, and the parameters before it get none by that way. An",
    "operator *made of others* stands for those in a graph; its derivatives are theirs. Rules for sizes hold throughout: one size of",
    "an input may be open under a name, usually the batch, everything else is fixed.",
    "",
    "| operator | domain | opsets | derivatives | limits |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    "## Control flow",
    "",
    "Read into what it comes to, before there is a graph:",
    "",
    ...Object.entries(controlFlowLimits).map(([type, limits]) => `- \`${type}\`. ${limits}`),
    "",
    "## Refused",
    "",
    ...refused.map(({ type, limits = "" }) => `- \`${type}\`. ${limits}`),
  ].join("\n")}\n`;
}

function byName(a: Operator, b: Operator): number {
  const [nameOfA, nameOfB] = [a, b].map(({ type, domain = "" }) => `${domain}:${type.toLowerCase()}`);
  return (nameOfA as string) < (nameOfB as string) ? -1 : 1;
}

function domainOf({ domain = "" }: Operator): string {
  return domain === "" ? "ai.onnx" : domain;
}

/** Domains other than the standard one have versions of their own, of which there is one. */
function opsetsOf({ domain = "", since = OLDEST_OPSET }: Operator): string {
  return domain === "" ? `${Math.max(since, OLDEST_OPSET)}–${NEWEST_OPSET}` : "1";
}

function orderOf({ isPiecewiseConstant, gradient, lower }: Operator): string {
  if (isPiecewiseConstant) return "0";
  if (gradient !== undefined) return "any";
  return lower === undefined ? "none" : "any, made of others";
}
