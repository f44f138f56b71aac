"""Decodes the golden records with docs/history-record.py: python3 test/golden/check-history-record.py"""
import hashlib
import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
SPEC = importlib.util.spec_from_file_location("history_record", HERE / "../../docs/history-record.py")
history_record = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(history_record)

read = []
for file in "first-history-records.json", "history-records.json":
    golden = json.loads((HERE / file).read_text(encoding="utf-8"))
    shapes = [tensor["shape"] for tensor in golden["tensors"] if tensor["role"] == "parameter"]
    for case in golden["records"]:
        data = history_record.read_record(bytes.fromhex(case["record"]), golden["key"], shapes)
        if data is None:
            continue
        digest = hashlib.sha256(f'"update":{len(data)};'.encode() + data).hexdigest()
        if case["decoded"] != f"sha256:{digest}":
            sys.exit(f"{case['name']}: decodes to other numbers")
        read.append(case["name"])
print(json.dumps(read))
