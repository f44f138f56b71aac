import { z } from "zod";
import { LetheError } from "../kernel/errors.ts";
import { AUDIT_FORMAT, AUDIT_VERSION, type AuditReport } from "./audit-report-data.ts";

/** JSON has no word for a value that is no number, and writes null. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const text = z.string();
const list = <Item extends z.ZodType>(item: Item) => z.array(item);
const pair = z.tuple([figure, figure]);

function ofAudited<Value extends z.ZodType>(value: Value) {
  return z.object({ original: value, unlearned: value, retrained: value });
}

const metric = z.looseObject({
  title: text,
  group: text,
  unit: text,
  original: figure,
  unlearned: figure,
  retrained: figure,
  floor: figure,
  ci: pair,
  limits: pair,
  passes: z.boolean(),
  tells: z.boolean(),
  controls: z.record(text, figure),
  references: list(figure).optional(),
});

const heldOutValue = z.object({ value: figure, low: figure, high: figure });
const heldOut = z.object({
  id: text,
  title: text,
  group: z.enum(["removal", "features", "utility"]),
  neutral: figure,
  original: heldOutValue,
  unlearned: heldOutValue,
  limits: pair,
  passes: z.boolean(),
  tells: z.boolean(),
  controls: z.record(text, z.object({ value: figure, passes: z.boolean() })),
});

const relearning = z.object({
  steps: z.object({ original: figure, unlearned: figure, retrained: list(figure) }),
  anamnesis: figure,
  cap: z.int(),
});
const manyModels = z.object({
  id: z.enum(["u-lira", "klom", "forgetting-quality"]),
  title: text,
  set: z.enum(["forget", "retain", "unseen"]),
  original: figure,
  unlearned: figure,
  retrained: figure,
});

const control = z.object({
  id: text,
  title: text,
  expected: z.enum(["pass", "fail"]),
  outcome: z.enum(["pass", "fail"]),
  failed: list(text),
});

const picture = z.object({
  width: z.int().positive(),
  height: z.int().positive(),
  channels: z.union([z.literal(1), z.literal(3)]),
  pixels: text,
});
const changedPicture = picture.extend({
  label: z.int(),
  answers: ofAudited(z.object({ label: z.int(), probability: figure })),
});
const inversionPicture = picture.extend({
  forgetResemblance: figure,
  unseenResemblance: figure,
  auc: figure,
});
const distance = z.object({ mean: figure, p95: figure });

const evidence = z.object({
  roc: ofAudited(z.object({ auc: figure, points: list(pair), floor: figure })),
  margins: ofAudited(list(figure)).extend({ edges: list(figure) }),
  classes: list(ofAudited(figure).extend({ label: z.int(), samples: z.int(), forgotten: figure })),
  groups: list(ofAudited(figure).extend({ group: text, samples: z.int(), forgotten: figure })).optional(),
  confusion: z.object({ labels: list(z.int()), matrices: ofAudited(list(list(z.number()))) }).optional(),
  scatter: z
    .object({
      spread: figure,
      points: list(z.object({ retrained: figure, original: figure, unlearned: figure })),
      distances: list(ofAudited(distance).extend({ set: z.enum(["forget", "retain", "unseen", "test"]) })),
    })
    .optional(),
  embedding: z
    .object({
      samples: list(z.object({ set: z.enum(["forget", "test"]), label: z.int() })),
      pca: ofAudited(list(pair)),
      umap: ofAudited(list(pair)),
      explained: ofAudited(figure),
      neighbours: ofAudited(z.object({ forget: figure, test: figure })),
    })
    .optional(),
  layers: list(
    z.object({
      layer: text,
      unlearnedToOriginal: figure,
      unlearnedToRetrained: figure,
      originalToRetrained: figure,
      retrainedToRetrained: figure,
    }),
  ).optional(),
  pictures: z.object({ forget: list(changedPicture), test: list(changedPicture) }).optional(),
  inversion: ofAudited(inversionPicture).extend({ label: z.int(), mean: picture }).optional(),
});

/** The document of `lethe audit`, of this version and of all earlier ones: what they did not have is optional. */
const auditReportSchema = z.looseObject({
  format: z.literal(AUDIT_FORMAT).default(AUDIT_FORMAT),
  version: z
    .union([z.literal(1), z.literal(2), z.literal(AUDIT_VERSION)])
    .default(1)
    .transform((): typeof AUDIT_VERSION => AUDIT_VERSION),
  verdict: z.enum(["pass", "plausible", "fail", "refused"]),
  reasons: list(text),
  metrics: z.record(text, metric),
  heldOut: list(heldOut).optional(),
  controls: list(control),
  notes: list(text),
  duplicates: z.object({ exact: z.int(), forget: z.int(), near: z.int(), compared: z.int() }).optional(),
  relearning: relearning.optional(),
  manyModels: list(manyModels).optional(),
  evidence: evidence.optional(),
  data: text,
  model: text,
  classNames: list(text),
  requests: list(z.object({ spec: text, method: text, samples: z.int() })),
  references: z.int(),
  seed: z.int(),
  recipe: z.record(text, z.unknown()),
  digests: z.object({
    original: text,
    unlearned: text,
    retrained: list(text),
    data: text.optional(),
    forget: text.optional(),
  }),
  seconds: z.number(),
  machine: text,
  versions: z.record(text, text),
  leftovers: list(z.object({ what: text, saw: z.enum(["yes", "no", "unknown"]), words: text })).optional(),
  costs: list(
    z.object({
      what: text,
      seconds: z.number().optional(),
      gradientEvaluations: z.number().optional(),
      bytes: z.number().optional(),
    }),
  ).optional(),
  configuration: z.record(text, z.unknown()).optional(),
});

/** Whether a JSON document means to be one of `lethe audit`. */
export function isAuditDocument(document: unknown): boolean {
  return (
    typeof document === "object" &&
    document !== null &&
    (("format" in document && document.format === AUDIT_FORMAT) ||
      ("verdict" in document && "metrics" in document && "digests" in document))
  );
}

/**
 * Reads a document of `lethe audit`, of any version so far.
 *
 * @param name - of the file, for the message
 * @throws LETHE_DATA_REPORT
 */
export function parseAuditReport(document: unknown, name: string): AuditReport {
  const parsed = auditReportSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  const version =
    typeof document === "object" && document !== null && "version" in document ? document.version : 1;
  const isNewer = typeof version === "number" && version > AUDIT_VERSION;
  throw new LetheError(
    "data",
    "DATA_REPORT",
    isNewer
      ? `Expected an audit document of version ${AUDIT_VERSION} or earlier in ${name}, got version ${version}. Read it with a newer Lethe.`
      : `Expected an audit document in ${name}, got one that does not fit:\n${z.prettifyError(parsed.error)}`,
    { cause: parsed.error },
  );
}
