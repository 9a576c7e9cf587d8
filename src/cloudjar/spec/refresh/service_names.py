"""Makes data/iam/names.json: what the services behind action prefixes are called.

    python -m cloudjar.spec.refresh.service_names

Names come from botocore's models. Where several services share a prefix, the one that bears its name is meant, else
the first.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import botocore

from cloudjar.spec import iam

DATA = Path(__file__).parent.parent / "data" / "iam"
MODELS = Path(botocore.__file__).parent / "data"


def full_name(service: str) -> str:
    """``serviceFullName`` of the newest model of a botocore service."""
    folder = max(p for p in (MODELS / service).iterdir() if p.is_dir())
    file = folder / "service-2.json"
    text = file.read_bytes() if file.exists() else gzip.decompress(file.with_suffix(".json.gz").read_bytes())
    return str(json.loads(text)["metadata"]["serviceFullName"])


def main() -> None:
    """Write the table anew."""
    names: dict[str, str] = {}
    for file in sorted((DATA / "ops").glob("*.json")):
        prefix = iam.prefix_of(file.stem)
        if (prefix not in names or file.stem == prefix) and (MODELS / file.stem).is_dir():
            names[prefix] = full_name(file.stem)
    lines = (f"{json.dumps(k)}:{json.dumps(v, ensure_ascii=False)}" for k, v in sorted(names.items()))
    (DATA / "names.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
