"""AWS's published API models, stripped of documentation and packed: one small file per service.

The facts come from the data files of the pinned `botocore` distribution (Apache-2.0), which is read as
data and never imported. `python -m cloudjar.spec.compile [service...]` refreshes the cache; nobody has
to run it, because `cloudjar.spec.models` compiles what is missing at first use.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cloudjar.spec.patches import patch

FORMAT = 9
"""Raised whenever the compiled form changes: older caches are then left alone and new ones made."""

_MAGIC = b"CJSPEC"
_DROPPED = frozenset({"documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince", "examples"})
_VERSION = re.compile(r"""^__version__\s*=\s*['"]([^'"]+)""", re.M)


class SpecError(Exception):
    """The published models are absent or unreadable: the installation is broken."""


class CatalogueEntry(msgspec.Struct, frozen=True, array_like=True):
    """What routing must know of a service that nobody has called yet."""

    name: str
    """botocore's directory name: ``ec2``, ``service-quotas``, ``cloudwatch``."""
    service_id: str
    full_name: str
    api_version: str
    signing_name: str
    endpoint_prefix: str
    protocols: tuple[str, ...]
    target_prefix: str
    json_version: str
    xml_namespace: str
    query_compatible: bool
    signature_version: str
    global_endpoint: str


class Waiter(msgspec.Struct, frozen=True):
    """How a client polls until a state is reached: `delay` in seconds, `acceptors` as published."""

    operation: str
    delay: int
    max_attempts: int
    acceptors: tuple[dict[str, Any], ...]


class Compiled(msgspec.Struct):
    """One service's file; operations and shapes stay packed until somebody asks for them."""

    entry: CatalogueEntry
    operations: dict[str, msgspec.Raw]
    shapes: dict[str, msgspec.Raw]
    waiters: dict[str, msgspec.Raw]


class _Listing(msgspec.Struct):
    entries: list[CatalogueEntry]


@cache
def _botocore() -> Path:
    spec = importlib.util.find_spec("botocore")
    if spec is None or not spec.submodule_search_locations:
        raise SpecError("AWS's API models are not installed. Try: pip install botocore")
    return Path(spec.submodule_search_locations[0])


@cache
def botocore_version() -> str:
    """The version of the models, e.g. ``1.44.5``."""
    found = _VERSION.search((_botocore() / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise SpecError(f"cannot tell the version of botocore in {_botocore()}")
    return found[1]


def cache_dir() -> Path:
    """Where compiled files live; `CLOUDJAR_SPEC_DIR` overrides it."""
    override = os.environ.get("CLOUDJAR_SPEC_DIR")
    if override:
        return Path(override)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "cloudjar" / "spec" / f"{botocore_version()}-{FORMAT}"


def _published(service: str) -> dict[str, Path]:
    """File stem -> path of the latest API version of a service; empty when there is none."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", service):
        return {}
    root = _botocore() / "data" / service
    if not root.is_dir():
        return {}
    for version in sorted((p for p in root.iterdir() if p.is_dir()), reverse=True):
        files = {p.name.removesuffix(".gz").removesuffix(".json"): p for p in version.iterdir()}
        if "service-2" in files:
            return files
    return {}


def published_names() -> list[str]:
    """Every service that has a model, sorted."""
    data = _botocore() / "data"
    return sorted(p.name for p in data.iterdir() if p.is_dir() and _published(p.name))


def _read(path: Path) -> Any:
    raw = path.read_bytes()
    return msgspec.json.decode(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def _metadata(path: Path) -> dict[str, Any]:
    """Only the metadata object, which stands near the start of every model: reads a few kilobytes."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as f:
        text = ""
        while block := f.read(8192):
            text += block.decode("utf-8", "replace")
            start = text.find('"metadata"')
            if start < 0:
                continue
            try:
                found, _ = json.JSONDecoder().raw_decode(text, text.index("{", start))
            except ValueError:
                continue
            return dict(found)
    raise SpecError(f"{path} has no metadata")


def entry_of(name: str, meta: dict[str, Any]) -> CatalogueEntry:
    """The catalogue's line for a model's metadata."""
    protocols = meta.get("protocols") or [meta["protocol"]]
    return CatalogueEntry(
        name=name,
        service_id=meta.get("serviceId", name),
        full_name=meta.get("serviceFullName", name),
        api_version=meta.get("apiVersion", ""),
        signing_name=meta.get("signingName") or meta.get("endpointPrefix", name),
        endpoint_prefix=meta.get("endpointPrefix", name),
        protocols=tuple(protocols),
        target_prefix=meta.get("targetPrefix", ""),
        json_version=str(meta.get("jsonVersion", "1.0")),
        xml_namespace=meta.get("xmlNamespace", ""),
        query_compatible="awsQueryCompatible" in meta,
        signature_version=meta.get("signatureVersion", "v4"),
        global_endpoint=meta.get("globalEndpoint", ""),
    )


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _stripped(v) for k, v in value.items() if k not in _DROPPED}
    if isinstance(value, list):
        return [_stripped(v) for v in value]
    return value


def _stripped_shape(shape: dict[str, Any]) -> dict[str, Any]:
    """A shape without prose; a member may itself be *named* `documentation`, so names are kept."""
    out = {k: _stripped(v) for k, v in shape.items() if k not in _DROPPED and k != "members"}
    if "members" in shape:
        out["members"] = {name: _stripped(ref) for name, ref in shape["members"].items()}
    return out


def compact(
    name: str,
    model: dict[str, Any],
    paginators: dict[str, Any] | None = None,
    waiters: dict[str, Any] | None = None,
) -> bytes:
    """The packed form of one model, given as the published JSON documents."""
    model = {**model, "metadata": dict(model["metadata"])}
    operations = {n: _stripped(op) for n, op in model["operations"].items()}
    shapes = {n: _stripped_shape(s) for n, s in model["shapes"].items()}
    patch(name, model["metadata"], operations, shapes)
    for op_name, pages in (paginators or {}).get("pagination", {}).items():
        if op_name in operations:
            operations[op_name]["paginator"] = _stripped(pages)
    pack = msgspec.msgpack.encode
    waits = {
        n: Waiter(w["operation"], w["delay"], w["maxAttempts"], tuple(w["acceptors"]))
        for n, w in (waiters or {}).get("waiters", {}).items()
    }
    return pack(
        Compiled(
            entry_of(name, model["metadata"]),
            {n: msgspec.Raw(pack(op)) for n, op in operations.items()},
            {n: msgspec.Raw(pack(s)) for n, s in shapes.items()},
            {n: msgspec.Raw(pack(w)) for n, w in waits.items()},
        )
    )


def _compile_service(name: str) -> bytes:
    files = _published(name)
    if not files:
        raise KeyError(name)
    optional = {k: _read(files[k]) for k in ("paginators-1", "waiters-2") if k in files}
    return compact(name, _read(files["service-2"]), optional.get("paginators-1"), optional.get("waiters-2"))


def _compile_catalogue() -> bytes:
    entries = []
    for name in published_names():
        meta = _metadata(_published(name)["service-2"])
        patch(name, meta, {}, {})
        entries.append(entry_of(name, meta))
    return msgspec.msgpack.encode(_Listing(entries))


def _save(path: Path, payload: bytes) -> None:
    """Write by rename, so that a reader sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(_MAGIC + zlib.crc32(payload).to_bytes(4, "big") + payload)
    draft.replace(path)


def _load(path: Path) -> bytes | None:
    try:
        raw = path.read_bytes()
    except OSError:
        return None
    payload = raw[10:]
    if raw[:6] != _MAGIC or zlib.crc32(payload).to_bytes(4, "big") != raw[6:10]:
        return None
    return payload


def _cached(file: str, make: Callable[[], bytes]) -> bytes:
    path = cache_dir() / file
    payload = _load(path)
    if payload is None:
        payload = make()
        try:
            _save(path, payload)
        except OSError as e:  # a read-only home costs speed at the next start, nothing else
            sys.stderr.write(f"cloudjar: cannot cache API models in {path.parent}: {e.strerror}\n")
    return payload


def load_service(name: str) -> Compiled:
    """The packed model of a service, compiled now when the cache lacks it. KeyError: no such service."""
    payload = _cached(f"{name}.bin", lambda: _compile_service(name))
    return msgspec.msgpack.decode(payload, type=Compiled)


def load_catalogue() -> list[CatalogueEntry]:
    """One entry per published service, sorted by name."""
    payload = _cached("_catalogue.bin", _compile_catalogue)
    return msgspec.msgpack.decode(payload, type=_Listing).entries


def refresh(names: list[str]) -> int:
    """Recompile the catalogue and the named services (all when empty); the number of services written."""
    chosen = names or published_names()
    _save(cache_dir() / "_catalogue.bin", _compile_catalogue())
    for name in chosen:
        _save(cache_dir() / f"{name}.bin", _compile_service(name))
    return len(chosen)


if __name__ == "__main__":
    unknown = [n for n in sys.argv[1:] if not _published(n)]
    if unknown:
        sys.exit(f"no such service: {', '.join(unknown)}. Try: ls {_botocore() / 'data'}")
    print(f"{refresh(sys.argv[1:])} services compiled into {cache_dir()}")
