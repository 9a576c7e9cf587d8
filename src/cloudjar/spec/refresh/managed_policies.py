"""Makes data/managed_policies: every AWS managed policy with its true document.

    python -m cloudjar.spec.refresh.managed_policies SOURCE

SOURCE is ``moto/iam/aws_managed_policies.py`` of the PyPI wheel moto (Apache-2.0), which holds the answers
of IAM's ListPolicies and GetPolicyVersion; only the data in it is read.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data" / "managed_policies"


def source_data(file: str) -> dict[str, Any]:
    """The one string in the source that is the data; the source is parsed, not run."""
    for node in ast.parse(Path(file).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            found: dict[str, Any] = json.loads(str(node.value.value))
            return found
    raise SystemExit(f"no data in {file}")


def main(file: str) -> None:
    """Write the documents, one per line, and the index with the place of each."""
    DATA.mkdir(parents=True, exist_ok=True)
    index: dict[str, list[Any]] = {}
    place = 0
    with (DATA / "documents.jsonl").open("wb") as out:
        for name, policy in sorted(source_data(file).items()):
            order = {"Version": policy["Document"].get("Version")} | policy["Document"]
            line = json.dumps({k: v for k, v in order.items() if v is not None}, separators=(",", ":")).encode()
            out.write(line + b"\n")
            dates = [policy[k].replace("+00:00", "Z") for k in ("CreateDate", "UpdateDate")]
            index[name] = [policy["Path"], policy["DefaultVersionId"], *dates, place, len(line)]
            place += len(line) + 1
    rows = ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in index.items())
    (DATA / "index.json").write_text("{\n" + rows + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1])
