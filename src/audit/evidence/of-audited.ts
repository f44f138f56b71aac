/** One thing for each kind of model that is drawn. */
export interface OfAudited<Value> {
  readonly original: Value;
  readonly unlearned: Value;
  /** Of one reference, or a mean over them, as the place says. */
  readonly retrained: Value;
}

/** The same for each kind of model. */
export function ofAudited<Value>(make: (id: keyof OfAudited<unknown>) => Value): OfAudited<Value> {
  return { original: make("original"), unlearned: make("unlearned"), retrained: make("retrained") };
}
