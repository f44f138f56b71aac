import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKeyring, openKeyring } from "./keyring.ts";

let directory = "";
let path = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lethe-keys-"));
  path = join(directory, "keys.json");
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("a keyring", () => {
  it.each([undefined, "open sesame"])(
    "keeps a key of its own for each client (passphrase %s)",
    (passphrase) => {
      const keyring = createKeyring(path, passphrase);
      // Names that are properties of every object as well.
      const names = ["anna", "bert", "__proto__", "constructor", ""];
      expect(keyring.find("anna")).toBeUndefined();
      keyring.ensure(names);
      keyring.ensure(["anna"]);
      const keys = names.map((name) => keyring.find(name));
      expect(new Set(keys.map((key) => Buffer.from(key ?? []).toString("hex"))).size).toBe(names.length);
      expect(keys.every((key) => key?.length === 32)).toBe(true);
      const again = openKeyring(path, passphrase);
      expect(names.map((name) => again.find(name))).toEqual(keys);
      expect(again.find("cleo")).toBeUndefined();
      expect(statSync(path).mode & 0o777).toBe(0o600);
    },
  );

  it("destroys a key for good and refuses the client from then on", () => {
    const keyring = createKeyring(path, undefined);
    keyring.ensure(["anna", "bert"]);
    const other = openKeyring(path, undefined);
    const key = Buffer.from(other.find("anna") as Uint8Array).toString("base64");
    keyring.destroy("anna");
    keyring.destroy("anna");
    expect(keyring.find("anna")).toBeUndefined();
    expect(keyring.isDestroyed("anna")).toBe(true);
    expect(keyring.list()).toEqual({ clients: ["bert"], destroyed: ["anna"] });
    expect(readFileSync(path, "utf8")).not.toContain(key);
    // Another process that had it open sees it at its next change.
    expect(() => other.ensure(["anna", "cleo"])).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_CLIENT_ERASED" }),
    );
    expect(other.find("anna")).toBeUndefined();
  });

  it("shows a client's key to a process that opened it before the client came", () => {
    const reader = createKeyring(path, "one");
    const writer = openKeyring(path, "one");
    writer.ensure(["anna"]);
    expect(reader.find("anna")).toEqual(writer.find("anna"));
  });

  it("opens with its own passphrase only, and says which is missing", () => {
    createKeyring(path, "open sesame").ensure(["anna"]);
    expect(() => openKeyring(path, undefined)).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_PASSPHRASE" }),
    );
    expect(() => openKeyring(path, "open barley")).toThrow(
      expect.objectContaining({ code: "LETHE_INTEGRITY_PASSPHRASE" }),
    );
  });

  it("is copied under another passphrase, without what was destroyed", () => {
    const keyring = createKeyring(path, "one");
    keyring.ensure(["anna", "bert"]);
    keyring.destroy("bert");
    const copyPath = join(directory, "copy.json");
    keyring.copyTo(copyPath, "two");
    const copy = openKeyring(copyPath, "two");
    expect(copy.find("anna")).toEqual(keyring.find("anna"));
    expect(copy.isDestroyed("bert")).toBe(true);
    keyring.copyTo(path, "three");
    expect(openKeyring(path, "three").find("anna")).toEqual(copy.find("anna"));
  });

  it("leaves nothing of a write that a killed process began", () => {
    const keyring = createKeyring(path, undefined);
    writeFileSync(`${path}.tmp`, "half of a keyring");
    keyring.ensure(["anna"]);
    expect(existsSync(`${path}.tmp`)).toBe(false);
    expect(openKeyring(path, undefined).find("anna")).toHaveLength(32);
  });

  it("is refused where it is damaged, foreign or missing, and never made over another", () => {
    expect(() => openKeyring(path, undefined)).toThrow(
      expect.objectContaining({ code: "LETHE_DATA_KEYRING" }),
    );
    createKeyring(path, undefined).ensure(["anna"]);
    expect(() => createKeyring(path, undefined)).toThrow(
      expect.objectContaining({ code: "LETHE_USAGE_KEYRING_EXISTS" }),
    );
    const text = readFileSync(path, "utf8");
    const document = JSON.parse(text);
    document.keys.push(["bert", document.keys[0][1]]);
    writeFileSync(path, JSON.stringify(document));
    expect(() => openKeyring(path, undefined).find("bert")).toThrow(
      expect.objectContaining({ code: "LETHE_INTEGRITY_KEYRING" }),
    );
    for (const other of ["", "{}", text.slice(0, 80), text.replace('"version": 1', '"version": 2')]) {
      writeFileSync(path, other);
      expect(() => openKeyring(path, undefined)).toThrow(
        expect.objectContaining({ code: "LETHE_DATA_KEYRING" }),
      );
    }
  });
});
