import { datasetIds } from "../data/index.ts";

/** The help text of `--data`. */
export const DATA_HELP = `${datasetIds.join(", ")}; \`lethe datasets\` says how each is written`;
