import { mean } from "../../metrics/statistics/summary.ts";
import type { Comparison } from "./case.ts";

/**
 * Figure by figure the mean over seeds; of the worst group over the seeds that have one.
 *
 * @param list - at least one
 */
export function meanComparison(list: readonly Comparison[]): Comparison {
  const of = (name: Exclude<keyof Comparison, "worstGroup">): number =>
    mean(list.map((entry) => entry[name]));
  const groups = list.flatMap(({ worstGroup }) => worstGroup ?? []);
  return {
    ua: of("ua"),
    ra: of("ra"),
    ta: of("ta"),
    mia: of("mia"),
    gap: of("gap"),
    tow: of("tow"),
    towMia: of("towMia"),
    kl: of("kl"),
    ...(groups.length === 0 ? {} : { worstGroup: mean(groups) }),
  };
}
