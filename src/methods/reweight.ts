import { z } from "zod";
import { deriveKey } from "../kernel/key.ts";
import { defineMethod } from "./define-method.ts";
import { groupWeights, repeatByGroup } from "./parts/group-draw.ts";
import { groupIndices } from "./parts/group-indices.ts";
import { innerMethod } from "./parts/wrapping.ts";

/**
 * Runs another method on retain samples repeated so that every group weighs what it did before the request:
 *
 *   w_i = n_train[g_i] / n_retain[g_i],   g = (label, attribute values)
 *
 * Every sample is there w_i times. Exact retraining on them is the reference for requests that come from one group more than from
 * others.
 *
 * Source: T. De Min et al., arXiv 2503.09330 (TMLR 2025), REWEIGHT. Departure: the paper draws |D_r| samples with replacement in every
 * epoch; a method inside goes over its retain samples as they are, and one draw for all its epochs would leave a third of them out.
 */
export const reweight = defineMethod({
  id: "reweight",
  title: "Another method on retain samples weighted by group (REWEIGHT)",
  references: ["arXiv:2503.09330"],
  scope: ["class", "sample", "subject", "group"],
  needs: ["forget", "retain"],
  uses: ["validation"],
  guarantee: "That of the method inside.",
  avoidWhen: "Requests come evenly from all groups.",
  config: z.strictObject({
    /** The method inside. */
    inner: z.string().default("fine-tune"),
    settings: z.record(z.string(), z.unknown()).default({}),
    /** The attributes that make groups together with the label; every attribute of the data when left out. */
    attributes: z.array(z.string()).optional(),
  }),
  async *run(request, { inner, settings, attributes }) {
    const method = innerMethod(request, "reweight", inner);
    const { forget, retain } = request;
    const names = attributes ?? [...forget.groupNames];
    const { groups, forgetGroups, retainGroups } = groupIndices(forget, retain, names);
    const { weights, gone } = groupWeights(groups, forgetGroups, retainGroups);
    if (gone > 0) {
      const message = `${gone} of ${groups} groups have no retain samples left and cannot be weighted.`;
      yield { type: "notice", code: "GROUP_GONE", message, details: { gone, groups } };
    }
    const weighed = retain.subset(repeatByGroup(retainGroups, weights, deriveKey(request.key, "reweight")));
    const { workbench: _, ...rest } = request;
    const outcome = yield* method.run({ ...rest, retain: weighed }, settings);
    const largest = Math.max(...weights.filter(Number.isFinite));
    return {
      ...outcome,
      inner: outcome.evidence,
      details: { ...outcome.details, groups, largestWeight: largest },
    };
  },
});
