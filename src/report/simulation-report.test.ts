import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { isLetheError } from "../kernel/errors.ts";
import { sampleReport } from "./simulation/sample-report.fixture.ts";
import { renderSimulationReport } from "./simulation-report.ts";
import type { SimulationReportInput } from "./simulation-report-schema.ts";

/** The page of the sample with some members replaced; `undefined` leaves a member out. */
function pageOf(
  changes: { [Key in keyof SimulationReportInput]?: SimulationReportInput[Key] | undefined } = {},
) {
  const entries = Object.entries({ ...sampleReport(), ...changes }).filter(
    ([, value]) => value !== undefined,
  );
  const page = renderSimulationReport(Object.fromEntries(entries) as SimulationReportInput);
  const { document } = parseHTML(page);
  const textOf = (selector: string) =>
    [...document.querySelectorAll(selector)]
      .map((element) => element.textContent)
      .join("\n")
      .replaceAll("\u00a0", " ");
  return { page, document, textOf, title: textOf("h1"), lead: textOf("header") };
}

/** A run in which nothing was retrained, so nothing could be judged. */
const WITHOUT_RETRAINING = {
  accuracy: { trained: 0.91, unlearned: 0.913 },
  attackSuccess: { trained: 0.95, unlearned: 0.006 },
  removedClientAccuracy: { trained: 0.94, unlearned: 0.9 },
  seconds: { train: 14, unlearn: 2 },
  clientRounds: { train: 800, unlearn: 0 },
  verdict: undefined,
  reasons: [],
  controls: [],
} satisfies Parameters<typeof pageOf>[0];

describe("the document", () => {
  it("closes every element it opens, in order", () => {
    expect(unclosedElements(pageOf().page)).toEqual([]);
    expect(unclosedElements(pageOf(WITHOUT_RETRAINING).page)).toEqual([]);
  });

  it("loads nothing and runs nothing", () => {
    const { page, document } = pageOf();
    expect(page).not.toMatch(/https?:|<script|@import|<link|url\(|\son\w+=/i);
    for (const element of document.querySelectorAll("[src], [href]"))
      expect(element.getAttribute("src") ?? element.getAttribute("href")).toMatch(
        /^(data:image\/png;base64,|#)/,
      );
  });

  it("has a table for every figure, a caption for every table, and a title for every row and column", () => {
    const { document } = pageOf();
    const figures = [...document.querySelectorAll("figure")];
    expect(figures.length).toBe(6);
    for (const figure of figures) expect(figure.querySelector("table")).not.toBeNull();
    for (const table of document.querySelectorAll("table")) {
      expect(table.querySelector("caption")?.textContent).toMatch(/\w/);
      for (const row of table.querySelectorAll("tbody tr"))
        expect(row.querySelector('th[scope="row"]')).not.toBeNull();
      for (const heading of table.querySelectorAll("thead th"))
        expect(heading.getAttribute("scope")).toBe("col");
    }
  });

  it("describes every drawing and picture in words", () => {
    const { document } = pageOf();
    for (const plot of document.querySelectorAll(".plot"))
      expect(plot.getAttribute("aria-label")).toMatch(/\d%/);
    for (const image of document.querySelectorAll("img")) expect(image.getAttribute("alt")).toMatch(/\w/);
    expect(document.querySelectorAll(".plot").length).toBe(5);
  });

  it("names every element once, and every reference leads somewhere", () => {
    const { document } = pageOf();
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const links = [...document.querySelectorAll('a[href^="#"]')].map((link) =>
      link.getAttribute("href")?.slice(1),
    );
    const labels = [...document.querySelectorAll("[aria-labelledby]")].map((label) =>
      label.getAttribute("aria-labelledby"),
    );
    for (const target of [...links, ...labels]) expect(ids).toContain(target);
  });

  it("is the same for the same data", () => {
    expect(pageOf().page).toBe(pageOf().page);
  });

  it("shows a hostile name and never runs it", () => {
    const name = `<script>alert("x")</script>`;
    const run = sampleReport().run;
    const { page, title } = pageOf({
      run: { ...run, dataset: name, removed: [{ client: 7, name }] },
      limits: [name],
      codecCurve: sampleReport().codecCurve?.map((point) => ({ ...point, title: `"${name}` })),
      series: { trained: [{ round: 0, accuracy: 0.1 }], unlearning: [{ label: name, accuracy: 0.9 }] },
    });
    expect(page).not.toContain("<script");
    expect(title).toContain(name);
    expect(unclosedElements(page)).toEqual([]);
  });

  it("prints no figure that is not a number, whichever parts a run lacks", () => {
    const optional = [
      "attackSuccess",
      "removedClientAccuracy",
      "parameterDistance",
      "gradientSteps",
      "series",
      "codecCurve",
      "examples",
      "membership",
      "diagnosis",
      "sampleSizes",
      "limits",
    ] as const;
    for (const part of optional) {
      const { attack: _, ...honest } = sampleReport().run;
      const { textOf } = pageOf({ [part]: undefined, ...(part === "attackSuccess" ? { run: honest } : {}) });
      expect(textOf("body")).not.toMatch(/NaN|undefined|Infinity|null|\[object/);
    }
  });
});

describe("the summary", () => {
  it("says in plain words who trained, who poisoned, who removed and what came of it", () => {
    const { title, lead } = pageOf();
    expect(title).toBe("Client 7 and its backdoor are gone from the model");
    expect(lead).toContain("Audit passed");
    expect(lead).toContain("20 clients trained an MLP 784-64-10 on MNIST together, in 40 rounds");
    expect(lead).toContain("Client 7 had planted a backdoor");
    expect(lead).toContain("the server alone, with no client’s help, removed");
    expect(lead).toContain("(5.85 MB in place of 163 MB, 28× smaller), in 1.9 s");
    expect(lead).toContain("The backdoor no longer works: its success went from 95.1% to 0.6%");
  });

  it("says that the attack is still there when it is, whatever the verdict", () => {
    for (const verdict of ["fail", "pass", undefined] as const) {
      const { title, lead, textOf } = pageOf({
        attackSuccess: { trained: 0.95, unlearned: 0.76, retrained: 0.006 },
        verdict,
      });
      expect(title).toBe("The backdoor of client 7 is still in the model");
      expect(lead).toContain("The backdoor was not removed: its success went from 95.0% to 76.0%");
      expect(lead).not.toContain("no longer works");
      expect(textOf("#verdict").includes("The verdict and the figures disagree")).toBe(verdict === "pass");
    }
  });

  it("tells a weakened attack from a removed one at the report's own tolerance", () => {
    const titleFor = (unlearned: number) =>
      pageOf({ attackSuccess: { trained: 0.95, unlearned, retrained: 0.01 }, verdict: "fail" }).title;
    expect(titleFor(0.081)).toBe("The backdoor of client 7 was weakened, not removed");
    expect(titleFor(0.08)).toBe("Client 7 was not removed well enough"); // the audit failed for another reason
  });

  it("does not claim the removal of an attack that never worked", () => {
    const attackSuccess = { trained: 0.12, unlearned: 0.01, retrained: 0.01 };
    const { title, lead } = pageOf({ attackSuccess });
    expect(title).toBe("Client 7 was removed from the model"); // the removed data show it
    expect(lead).toContain("cannot show its removal");
    expect(lead).not.toContain("no longer works");
    expect(pageOf({ attackSuccess, removedClientAccuracy: undefined }).title).toBe(
      "This run cannot show whether client 7 was removed",
    );
  });

  it("speaks of no attack where there was none", () => {
    const { attack: _, ...run } = sampleReport().run;
    const { title, textOf } = pageOf({
      run,
      attackSuccess: undefined,
      series: undefined,
      codecCurve: undefined,
      confusion: [],
      examples: undefined,
      reasons: [],
      limits: [],
    });
    expect(title).toBe("Client 7 was removed from the model");
    expect(textOf("header")).not.toMatch(/attack|backdoor|poison/i);
    expect(textOf("#figures")).not.toMatch(/attack/i);
  });

  it("blames no removal for what the removed client had done", () => {
    const accuracy = { trained: 0.5, unlearned: 0.7, retrained: 0.9 };
    expect(pageOf({ accuracy, verdict: "fail" }).title).toBe(
      "Without client 7 the model is less accurate than a retrained one",
    );
  });

  it("says that accuracy was lost", () => {
    const { title, lead } = pageOf({
      accuracy: { trained: 0.91, unlearned: 0.62, retrained: 0.912 },
      verdict: "fail",
    });
    expect(title).toBe("Removing client 7 damaged the model");
    expect(lead).toContain("−29.2 points");
  });

  it("says when the removed data cannot show anything, or show too much", () => {
    const leadFor = (trained: number, unlearned: number, retrained: number) =>
      pageOf({ removedClientAccuracy: { trained, unlearned, retrained } }).lead;
    expect(leadFor(0.91, 0.91, 0.9)).toContain("cannot show a removal");
    expect(leadFor(0.96, 0.95, 0.88)).toContain("better than one that never saw them");
    expect(leadFor(0.96, 0.5, 0.88)).toContain("More was taken out than retraining would have");
  });

  it("refuses together with the audit and says which control went wrong", () => {
    const [trained, ...others] = sampleReport().controls ?? [];
    const controls = [
      { title: "", expected: "fail" as const, ...trained, outcome: "pass" as const },
      ...others,
    ];
    const { title, lead, textOf } = pageOf({
      controls,
      verdict: "refused",
      reasons: ["The trained model passed."],
    });
    expect(title).toBe("The audit cannot tell whether client 7 was removed");
    expect(lead).toContain("Audit refused");
    expect(textOf("#verdict")).toContain("1 of 3 controls came out wrong");
    expect(textOf("#verdict")).toContain("The trained model passed.");
  });

  it("judges nothing when nothing was retrained", () => {
    const { title, lead, textOf } = pageOf(WITHOUT_RETRAINING);
    expect(title).toBe("Client 7 was unlearned; the result is not audited");
    expect(lead).toContain("Without a retrained model nothing says how low it should be");
    expect(textOf("#figures")).not.toContain("Retrained");
  });

  it("counts the clients that had to help, and names several leavers in the plural", () => {
    const run = sampleReport().run;
    const { title, lead } = pageOf({
      clientRounds: { train: 800, unlearn: 18, retrain: 720 },
      run: {
        ...run,
        removed: [
          { client: 3, name: "client 3" },
          { client: 7, name: "client 7" },
        ],
      },
    });
    expect(title).toBe("Client 3 and client 7 and their backdoor are gone from the model");
    expect(lead).toContain("with 18 local trainings by clients, removed");
    expect(lead).not.toContain("server alone");
  });

  it("does not call a history compressed that is not", () => {
    const { lead } = pageOf({
      history: { parameters: 10, updates: 4, rawBytes: 160, storedBytes: 160, bitsPerParameter: 32 },
    });
    expect(lead).not.toContain("compressed history");
  });
});

describe("the self-diagnosis", () => {
  it("advises a repair round when a statistic is low and no warning says so", () => {
    expect(pageOf().textOf("#diagnosis")).toContain("nothing to warn of");
    for (const diagnosis of [
      { rho: 0.2, pi: 0.97 },
      { rho: 0.5, pi: 0.6 },
    ]) {
      const text = pageOf({ diagnosis }).textOf("#diagnosis");
      expect(text).toContain("asks for caution");
      expect(text).toContain("What to do: let every kept client train for one short round");
    }
  });

  it("shows the rule's own warnings", () => {
    const warnings = [{ code: "MOMENTUM", message: "Clients used momentum: run one repair round." }];
    expect(pageOf({ diagnosis: { rho: 0.5, warnings } }).textOf("#diagnosis .callout")).toContain(
      "Clients used momentum: run one repair round. MOMENTUM",
    );
  });
});

describe("the membership test", () => {
  it("warns against its own figures when a control failed", () => {
    const membership = sampleReport().membership;
    const controls = membership?.controls?.map((control) => ({ ...control, met: false })) ?? [];
    expect(pageOf().textOf("#membership .callout")).toBe("");
    expect(
      pageOf({ membership: membership && { ...membership, controls } }).textOf("#membership .callout"),
    ).toContain("Do not read these figures as evidence");
  });
});

describe("data that contradict themselves", () => {
  const refusalOf = (changes: Parameters<typeof pageOf>[0]) => {
    try {
      pageOf(changes);
    } catch (error) {
      if (isLetheError(error, "data") && error.code === "LETHE_REPORT_DATA") return error.message;
      throw error;
    }
    return "no refusal";
  };

  it("are refused: a pass although a control went wrong, or although nothing was compared", () => {
    const controls = sampleReport().controls?.map((control) => ({ ...control, outcome: "pass" as const }));
    expect(refusalOf({ controls })).toMatch(/Trained model, nothing removed.*came out as pass, not fail/);
    expect(refusalOf({ ...WITHOUT_RETRAINING, verdict: "pass" })).toMatch(/nothing was compared/);
    expect(refusalOf({ controls: [] })).toMatch(/control that must fail[\s\S]*control that must pass/);
  });

  it("are refused: attack figures without an attack, parts that do not add up, matrices that are not square", () => {
    expect(refusalOf({ attackSuccess: undefined })).toMatch(/exactly when `run.attack` is given/);
    const history = { ...sampleReport().history, breakdown: [{ part: "all", bytes: 5 }] };
    expect(refusalOf({ history })).toMatch(/add up to 5852350 bytes, got 5/);
    const matrices = { trained: [[1, 0]], unlearned: [[1]] };
    expect(refusalOf({ confusion: [{ title: "x", classes: ["a", "b"], matrices }] })).toMatch(
      /2 rows and columns/,
    );
  });

  it("are refused: an unknown member, and a share above one", () => {
    expect(refusalOf({ limits: [], ...{ acuracy: 1 } })).toMatch(/acuracy/);
    expect(refusalOf({ accuracy: { trained: 91, unlearned: 0.9 } })).toMatch(/accuracy.trained/);
  });
});

/** Elements that are not closed where they should be; void elements must close themselves. */
function unclosedElements(page: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const markup = page.replace(/^<!doctype html>/, "").replaceAll(/<style>[^<]*<\/style>/g, "");
  for (const [tag, closing, name = "", selfClosing] of markup.matchAll(
    /<(\/?)([a-z][\w]*)(?:\s+[\w:-]+="[^"<]*")*\s*(\/?)>/gi,
  )) {
    if (closing === "/") {
      if (open.pop() !== name) wrong.push(tag);
    } else if (selfClosing !== "/") open.push(name);
  }
  const stray = markup.replaceAll(/<\/?[a-z][\w]*(?:\s+[\w:-]+="[^"<]*")*\s*\/?>/gi, "").match(/[<>]/g) ?? [];
  return [...wrong, ...open, ...stray];
}
