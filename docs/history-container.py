"""Reads an exported history with the standard library alone: section 8 of history-format.md as a program.

    python3 docs/history-container.py history.lethe [rounds]

Follows the chain of digests and prints, for the records of the first rounds (2 unless told), the digest of the decoded
update, as `test/golden/history-container.json` has them. Records are decoded by history-record.py, slowly.
"""
import hashlib
import importlib.util
import json
import struct
import sys
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("history_record", Path(__file__).with_name("history-record.py"))
history_record = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(history_record)


def digest_bytes(data):
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical(value):
    """JSON with sorted names and no spaces; numbers as JavaScript writes them."""
    if isinstance(value, dict):
        members = sorted((json.dumps(name, ensure_ascii=False), canonical(member)) for name, member in value.items())
        return "{" + ",".join(f"{name}:{member}" for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def number(value):
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    if -7 < int(exponent) < 0:
        digits = mantissa.replace(".", "").lstrip("-")
        return ("-" if value < 0 else "") + "0." + "0" * (-int(exponent) - 1) + digits
    return f"{mantissa}e{'+' if int(exponent) > 0 else '-'}{abs(int(exponent))}"


def digest_json(value, **optional):
    """Of an object; optional members are left out where they have no value."""
    present = {name: member for name, member in optional.items() if member is not None}
    return digest_bytes(canonical({**value, **present}).encode())


def read_items(path):
    """Every item's line, with the bytes of its sections in place of their lengths."""
    with open(path, "rb") as file:
        for count in range(sys.maxsize):
            line = json.loads(file.readline())
            if line["type"] == "end":
                if line["items"] != count or file.read(1):
                    raise ValueError("the file does not end where it should")
                return
            for name, length in line.get("sections", {}).items():
                line[name] = take(file, length)
            for entry in line.get("entries", []):
                if "record" in entry:
                    entry["record"] = take(file, entry["record"])
            yield line


def take(file, length):
    data = file.read(length)
    if len(data) != length:
        raise ValueError("the file was cut off")
    return data


def digest_header(header):
    return digest_json({
        "layout": header["layout"], "codec": header["codec"], "facts": header["facts"],
        "key": list(struct.unpack("<8I", header["key"])), "initialWeights": digest_bytes(header["initialWeights"]),
    })


def digest_entry(entry, names):
    if "digest" in entry:
        return entry["digest"]
    return digest_json(
        {"client": names[entry["client"]], "weight": entry["weight"], "status": entry["status"]},
        reference=entry.get("reference"), record=digest_bytes(entry["record"]) if "record" in entry else None,
    )


def digest_round(item, previous, names):
    entries = [digest_entry(entry, names) for entry in item["entries"]]
    mean = digest_bytes(item["mean"]) if "mean" in item else None
    return digest_json(
        {"previous": previous, "round": item["round"], "metadata": item["metadata"], "weights": item["weightsDigest"],
         "entries": entries}, mean=mean, checkpoint=item.get("checkpointDigest"),
    )


def decoded(item, names, header):
    """Client and digest of the decoded record of every entry that has one."""
    shapes = [tensor["shape"] for tensor in header["layout"] if tensor["role"] == "parameter"]
    key = list(struct.unpack("<8I", header["key"]))
    for entry in item["entries"]:
        if "record" in entry:
            update = history_record.read_record(entry["record"], key, shapes)
            yield names[entry["client"]], digest_bytes(update) if update else "not decoded here"


def main(path, shown=2):
    header, head, names = None, None, {}
    trusted = {item["part"] for item in read_items(path) if item["type"] == "repair"}
    rounds = 0
    for item in read_items(path):
        if item["type"] == "header":
            header, head = item, digest_header(item)
        if item["type"] == "client":
            names[item["ordinal"]] = item["name"]
        if item["type"] == "round":
            if f"round {item['round']}" not in trusted and digest_round(item, head, names) != item["digest"]:
                sys.exit(f"round {item['round']} does not match its digest")
            head = item["digest"]
            if rounds < shown:
                for client, digest in decoded(item, names, header):
                    print(item["round"], client, digest)
            rounds += 1
    print(f"{rounds} rounds, head {head}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
