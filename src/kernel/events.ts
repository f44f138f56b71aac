/**
 * What a long operation tells while it runs. One flat union for training, rounds, unlearning and audits: the terminal's
 * progress bar, the server-sent events, the ledger and the tests all read this stream. Success is the generator's return
 * value, failure a throw.
 */
export type LetheEvent =
  | { readonly type: "started"; readonly operation: string; readonly details: Scalars }
  /** `index` counts from 0. */
  | { readonly type: "phase"; readonly name: string; readonly index: number; readonly of: number }
  | { readonly type: "step"; readonly step: number; readonly of?: number; readonly scalars: Scalars }
  | { readonly type: "checkpoint"; readonly step: number; readonly digest: string }
  | { readonly type: "notice"; readonly code: string; readonly message: string; readonly details: Scalars };

/** Named numbers and words; a number's unit is in its name. */
export type Scalars = Readonly<Record<string, number | string>>;

/** A long operation: events out, the outcome returned. */
export type Progress<Outcome> = AsyncGenerator<LetheEvent, Outcome, void>;

/** Runs an operation to its end, handing every event to `onEvent`. */
export async function consume<Outcome>(
  operation: Progress<Outcome>,
  onEvent: (event: LetheEvent) => void = () => {},
): Promise<Outcome> {
  for (;;) {
    const next = await operation.next();
    if (next.done) return next.value;
    onEvent(next.value);
  }
}

/** An operation as part of a larger one: its steps and notices go on, its own start and phases stay inside. */
export async function* nested<Outcome>(operation: Progress<Outcome>): Progress<Outcome> {
  for (;;) {
    const next = await operation.next();
    if (next.done) return next.value;
    if (next.value.type !== "started" && next.value.type !== "phase") yield next.value;
  }
}
