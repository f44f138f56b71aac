import type { AuditDocument } from "../audit/audit-document.ts";
import type { AuditEvidence } from "../audit/evidence.ts";
import type { Leftover } from "../audit/leftovers.ts";

/** Names the kind of document, so that a reader need not guess. */
export const AUDIT_FORMAT = "lethe-audit";
/**
 * Version of the document. 1 had no `format` and `version`, and of the evidence the curves, the histograms and the classes alone; 2 knew no verdict `plausible`. A number goes
 * up when a reader has to know; whatever is merely new is optional.
 */
export const AUDIT_VERSION = 3;

/** Everything the page of an audit is made of: the JSON document of `lethe audit`. */
export interface AuditReport extends AuditDocument {
  readonly format: typeof AUDIT_FORMAT;
  readonly version: typeof AUDIT_VERSION;
  /** Left out where the comparison was refused before anything was measured. */
  readonly evidence?: AuditEvidence | undefined;
  readonly data: string;
  readonly model: string;
  readonly classNames: readonly string[];
  readonly requests: readonly AuditedRequest[];
  /** Retrained models compared; 0 where held-out samples took their place. */
  readonly references: number;
  readonly seed: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly digests: {
    readonly original: string;
    readonly unlearned: string;
    readonly retrained: readonly string[];
    /** Of the training part, features and labels; not in documents of version 1. */
    readonly data?: string | undefined;
    /** Of the positions that were to be forgotten. */
    readonly forget?: string | undefined;
  };
  readonly seconds: number;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** What else the forgotten samples went into. */
  readonly leftovers?: readonly Leftover[] | undefined;
  readonly costs?: readonly CostRow[] | undefined;
  /** Settings of the method and of the audit, as they were given and completed. */
  readonly configuration?: Readonly<Record<string, unknown>> | undefined;
}

/** One request that led to the unlearned model. */
export interface AuditedRequest {
  readonly spec: string;
  readonly method: string;
  readonly samples: number;
}

/** What one piece of work took. */
export interface CostRow {
  readonly what: string;
  readonly seconds?: number | undefined;
  /** Samples times backward passes. */
  readonly gradientEvaluations?: number | undefined;
  readonly bytes?: number | undefined;
}
