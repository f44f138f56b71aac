import type { AuditDocument } from "../audit/audit-document.ts";
import type { AuditEvidence } from "../audit/evidence.ts";

/** Everything the page of an audit is made of: the JSON document of `lethe audit`. */
export interface AuditReport extends AuditDocument {
  /** Left out where the comparison was refused before anything was measured. */
  readonly evidence?: AuditEvidence;
  readonly data: string;
  readonly model: string;
  readonly classNames: readonly string[];
  readonly requests: readonly { readonly spec: string; readonly method: string; readonly samples: number }[];
  readonly references: number;
  readonly seed: number;
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly digests: {
    readonly original: string;
    readonly unlearned: string;
    readonly retrained: readonly string[];
  };
  readonly seconds: number;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
}
