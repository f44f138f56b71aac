import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyFromSeed } from "../kernel/key.ts";
import { byteRows } from "./byte-rows.ts";
import { hashedWords } from "./hashed-words.ts";
import { loadDataset } from "./index.ts";
import { parseMail } from "./mail.ts";
import { mailsDataset } from "./mails-dataset.ts";
import { pseudonym } from "./pseudonym.ts";

const mailFrom = (from: string, body = "Hello") =>
  `From: ${from}\nSubject: A\n letter\nTo: x@example.org\n\n${body}`;

describe("parseMail", () => {
  it("takes the sender, the unfolded title and the body, and nothing else of the header", () => {
    expect(
      parseMail(
        `Received: by a@b\r\nfrom: "Ann, B." <Ann@Example.org>\r\nSubject: One\r\n\ttwo\r\n\r\nBody\r\n\r\nend`,
      ),
    ).toEqual({
      sender: "ann@example.org",
      title: "One two",
      body: "Body\r\n\r\nend",
    });
  });

  it.each([
    ["bo@example.org (Bo)", "bo@example.org"],
    ['"x@y" <bo@example.org>', "bo@example.org"],
    ["<>", undefined],
    ["Bo", undefined],
  ])("finds the address in %j", (from, sender) => {
    expect(parseMail(mailFrom(from)).sender).toBe(sender);
  });

  it("reads any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(text.endsWith(parseMail(text).body)).toBe(true);
      }),
    );
    expect(parseMail("no header at all")).toEqual({ sender: undefined, title: "", body: "" });
  });
});

describe("hashedWords", () => {
  it("has length one, whatever the words and their order", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 64 }),
        (list, width) => {
          const { fill } = hashedWords([list.join(" "), [...list].reverse().join("\n").toUpperCase()], width);
          const rows = [new Float32Array(width), new Float32Array(width)] as const;
          rows.forEach((row, position) => {
            fill(position, row, 0);
          });
          expect(Math.hypot(...rows[0])).toBeCloseTo(1, 5);
          rows[0].forEach((value, at) => {
            expect(rows[1][at]).toBeCloseTo(value, 6);
          });
        },
      ),
    );
  });

  it("weighs words by the logarithm of their number", () => {
    const row = new Float32Array(1_000);
    hashedWords(["a a a b"], 1_000).fill(0, row, 0);
    const weights = row.filter((value) => value > 0).sort();
    expect((weights[1] as number) / (weights[0] as number)).toBeCloseTo(Math.log(4) / Math.log(2), 5);
  });

  it("makes zeros of a text without words", () => {
    const row = new Float32Array(8);
    hashedWords(["... ---"], 8).fill(0, row, 0);
    expect(row).toEqual(new Float32Array(8));
  });
});

describe("byteRows", () => {
  it("cuts long texts and fills up short ones in front", () => {
    expect([...byteRows(["AB", "ABCDE", ""], 4)]).toEqual([0, 0, 68, 69, 68, 69, 70, 71, 0, 0, 0, 0]);
  });
});

describe("mailsDataset", () => {
  const list = Array.from({ length: 20 }, (_, at) => ({
    collection: at % 2 ? "spam-1" : "easy-ham-1",
    text: mailFrom(at < 10 ? "Ann@Example.org" : "bo@example.org", `body ${at}`),
  }));
  const load = (features: Parameters<typeof mailsDataset>[1]) =>
    mailsDataset(list, features, { id: "mails", title: "T", licence: "none" }, keyFromSeed(1));

  it("names senders by digests, the same for all features", () => {
    const { train } = load({ kind: "bow", width: 32 });
    const tokens = load({ kind: "tokens", length: 8 }).train;
    for (let position = 0; position < train.count; position++) {
      const at = Number(train.id(position).split("/")[1]);
      const address = at < 10 ? "ann@example.org" : "bo@example.org";
      expect(train.subject(position)).toBe(pseudonym("lethe mails", address));
      expect(train.subject(position)).toMatch(/^[0-9a-f]{16}$/);
      expect(tokens.subject(position)).toBe(train.subject(position));
      expect(train.labels[position]).toBe(at % 2);
      expect(train.groups(position)).toEqual({ collection: at % 2 ? "spam-1" : "easy-ham-1" });
    }
  });
});

describe("mails", () => {
  it("are found in the package, senders without their names", async () => {
    const { train, test, featureShape } = await loadDataset("mails");
    expect([train.count, test.count, featureShape]).toEqual([4_837, 1_209, [2_048]]);
    const senders = new Map<string, number>();
    for (const part of [train, test]) {
      for (let position = 0; position < part.count; position++) {
        const sender = part.subject(position) ?? "nobody";
        senders.set(sender, (senders.get(sender) ?? 0) + 1);
      }
    }
    expect(senders.get("nobody")).toBe(5);
    senders.delete("nobody");
    expect([...senders.values()].filter((count) => count >= 10)).toHaveLength(81);
    expect([...senders.keys()].every((sender) => /^[0-9a-f]{16}$/.test(sender))).toBe(true);
  });

  it.each([
    ["mails:words", /features bow or tokens/],
    ["mails:bow?length=3", /parameters width, got `length`/],
    ["mails:bow?width=0", /1 … 65536/],
    ["mails:tokens?length=1e9", /1 … 8192/],
  ])("refuse %s", async (name, message) => {
    await expect(loadDataset(name)).rejects.toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_DATASET", message: expect.stringMatching(message) }),
    );
  });
});
