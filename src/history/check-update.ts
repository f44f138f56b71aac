import { LetheError } from "../kernel/errors.ts";
import type { ModelLayout } from "../kernel/layout.ts";
import type { Kernel } from "./fast/kernel.ts";
import { measure } from "./measure.ts";
import { LARGEST_STEP, type RecordIdentity } from "./record.ts";

/** Larger numbers are refused: with any step that is allowed they could overflow. */
const LARGEST_NUMBER = LARGEST_STEP / 16;

/**
 * Refuses an update that cannot be coded.
 *
 * @param kernel - of the workspace
 * @throws LETHE_DATA_UPDATE_LENGTH; LETHE_NUMERIC_UPDATE for NaN, infinities, and magnitudes above 2^96
 */
export function checkUpdate(
  update: Float32Array,
  layout: ModelLayout,
  { round, client }: RecordIdentity,
  kernel: Kernel | undefined,
): void {
  const details = { round, client };
  if (update.length !== layout.length) {
    throw new LetheError(
      "data",
      "DATA_UPDATE_LENGTH",
      `Expected ${layout.length} numbers in the update of client "${client}" in round ${round}, got ${update.length}.`,
      { details },
    );
  }
  const { squares, largest } = measure(update, kernel);
  if (!Number.isNaN(squares) && largest <= LARGEST_NUMBER) return;
  for (let index = 0; index < update.length; index++) {
    // NaN fails the comparison as well.
    if (Math.abs(update[index] as number) <= LARGEST_NUMBER) continue;
    const slot = layout.slots.find(({ offset, length }) => index < offset + length);
    throw new LetheError(
      "numeric",
      "NUMERIC_UPDATE",
      `Expected finite numbers in the update of client "${client}" in round ${round}, got ${update[index]} in tensor ` +
        `"${slot?.name}". Lower the learning rate, or leave the client out of this round.`,
      { details: { ...details, tensor: slot?.name ?? "" } },
    );
  }
}
