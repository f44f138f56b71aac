import { LetheError } from "../kernel/errors.ts";
import { type Column, namedColumn, type Table, wordsOf } from "./table.ts";

/** Minutes at arrival after which a flight counts as late. */
const LATE_MINUTES = 15;
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

/**
 * The table a model of delays learns from: `late` (more than 15 minutes), and what is known before take-off: `hour`, `weekday` and
 * `month` of the departure as words (their effect is no straight line), `distance`, `origin`, `destination`. The delay itself and the date are left out.
 *
 * @param table - columns `date` (`2001/01/31 06:55`, or milliseconds since 1970), `delay` (minutes), `distance` (miles), `origin`,
 * `destination`
 * @throws LETHE_DATA_COLUMN for a missing column · LETHE_DATA_NOT_FINITE for a delay or date that is none
 */
export function flightsTable(table: Table): Table {
  const words = (word: (row: number) => string): readonly string[] =>
    Array.from({ length: table.rowCount }, (_, row) => word(row));
  const delays = namedColumn(table, "delay").values;
  const times = timesOf(table);
  const dateOf = (row: number): Date => new Date(times[row] as number);
  const columns: ReadonlyMap<string, Column> = new Map<string, Column>([
    ["late", words((row) => (delayOf(delays[row], table, row) > LATE_MINUTES ? "late" : "on time"))],
    ["hour", words((row) => `${dateOf(row).getUTCHours()} h`)],
    ["weekday", words((row) => WEEKDAYS[dateOf(row).getUTCDay()] as string)],
    ["month", words((row) => MONTHS[dateOf(row).getUTCMonth()] as string)],
    ["distance", namedColumn(table, "distance").values],
    ["origin", wordsOf(namedColumn(table, "origin").values)],
    ["destination", wordsOf(namedColumn(table, "destination").values)],
  ]);
  return {
    ...table,
    header: [...columns.keys()],
    column: (name) => columns.get(name) ?? [],
  };
}

/** Milliseconds since 1970 of local times, taken as if they were universal: only hour, day and month are read off them. */
function timesOf(table: Table): Float64Array {
  const { values } = namedColumn(table, "date");
  return Float64Array.from({ length: table.rowCount }, (_, row) => {
    const value = values[row];
    const [, year, month, day, hour, minute] =
      /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d)$/.exec(String(value)) ?? [];
    const time =
      typeof value === "number"
        ? value
        : Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
    if (Number.isNaN(new Date(time).getTime())) throw valueError("date", table, row);
    return time;
  });
}

function delayOf(value: number | string | undefined, table: Table, row: number): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw valueError("delay", table, row);
}

function valueError(name: string, table: Table, row: number): LetheError {
  const place = table.placeOf(row);
  return new LetheError(
    "data",
    "DATA_NOT_FINITE",
    `Expected a ${name} in column \`${name}\`, got none on ${place} of ${table.file}.`,
    { details: { file: table.file, column: name, place } },
  );
}
