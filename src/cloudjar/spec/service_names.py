"""The services behind action prefixes and what they are called, as data; made by `refresh.service_names`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

_DATA = Path(__file__).with_name("data") / "iam"


@cache
def _names() -> Mapping[str, str]:
    return msgspec.json.decode((_DATA / "names.json").read_bytes(), type=dict[str, str])


def name_of(prefix: str) -> str:
    """A service's full name (``AWS Identity and Access Management``); the prefix itself where it has no public API."""
    return _names().get(prefix, prefix)


@cache
def prefixes() -> tuple[str, ...]:
    """Every action prefix that the authorization reference knows, in order."""
    return tuple(sorted(file.stem for file in (_DATA / "actions").glob("*.json")))
