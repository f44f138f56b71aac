// Trains the models of a small farm in a store; says so after each one. Started and killed by farm-kill.test.ts.
import { trainModels } from "../../src/audit/farm/model-farm.ts";
import { farmHeader, farmJobs } from "./small-farm.ts";

for await (const event of trainModels(farmHeader, farmJobs, {
  store: process.argv[2] as string,
  workers: 2,
})) {
  if (event.type === "step") process.stdout.write(`${event.scalars.models}\n`);
}
