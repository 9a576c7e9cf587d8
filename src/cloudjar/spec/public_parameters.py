"""AWS's public parameters: image ids and the global infrastructure, under /aws/service/.

Of the images only those of the catalogue (`spec.images`) have parameters: a parameter that names an image
that cannot be launched would lead nowhere.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from cloudjar.spec import images, regions

ROOT = "/aws/service"
_INFRASTRUCTURE = f"{ROOT}/global-infrastructure"
_INFRASTRUCTURE_DATE = "2026-10-01T00:00:00.000Z"
_IMAGE = "aws:ec2:image"


class Parameter(NamedTuple):
    """A public parameter of type String. `modified` is an ISO 8601 instant; its ARN has no account."""

    name: str
    value: str
    data_type: str
    modified: str
    version: int = 1


def is_public(name: str) -> bool:
    """Whether a name or path lies where only AWS has parameters."""
    return name == ROOT or name.startswith(ROOT + "/")


def get(name: str, region: str) -> Parameter | None:
    """A public parameter by its full name, as a region has it; None when there is none."""
    found = _images(region).get(name)
    if found:
        return found
    if not name.startswith(_INFRASTRUCTURE + "/"):
        return None
    node: Any = _infrastructure()
    for step in name.removeprefix(_INFRASTRUCTURE + "/").split("/"):
        node = node.get(step) if step else None
        if node is None:
            return None
    return _fact(name, node[""]) if "" in node else None


def by_path(path: str, region: str, *, recursive: bool = False) -> Iterator[Parameter]:
    """The parameters below a path, by name; without `recursive` only those one step below."""
    top = path.rstrip("/") + "/"
    for name, found in sorted(_images(region).items()):
        if name.startswith(top) and (recursive or "/" not in name[len(top) :]):
            yield found
    if _INFRASTRUCTURE.startswith(top):
        yield from _below(_INFRASTRUCTURE, _infrastructure(), -1) if recursive else ()
    elif top.startswith(_INFRASTRUCTURE + "/"):
        node = _infrastructure()
        for step in top.removeprefix(_INFRASTRUCTURE + "/").split("/"):
            if step:
                node = node.get(step, {})
        yield from _below(top.rstrip("/"), node, -1 if recursive else 1)


def _below(name: str, node: dict[str, Any], depth: int) -> Iterator[Parameter]:
    for step, child in sorted(node.items()):
        if step:
            if "" in child:
                yield _fact(f"{name}/{step}", child[""])
            if depth != 1:
                yield from _below(f"{name}/{step}", child, depth - 1)


def _fact(name: str, value: str) -> Parameter:
    return Parameter(name, value, "text", _INFRASTRUCTURE_DATE)


@cache
def _images(region: str) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for image in images.catalogue(region):
        for name, kind in _names(image):
            found[name] = Parameter(name, image.id, kind, image.release.created)
    return found


def _names(image: images.Image) -> Iterator[tuple[str, str]]:
    release, arch = image.release, image.release.arch[image.architecture]
    if image.key == "debian-12":
        for serial in ("latest", release.serial):
            yield f"{ROOT}/debian/release/12/{serial}/{arch}", _IMAGE
    elif image.key == "ubuntu-24.04":
        for version in ("24.04", "noble"):
            for serial in ("current", release.serial):
                place = f"{ROOT}/canonical/ubuntu/server/{version}/stable/{serial}"
                yield f"{place}/{arch}/hvm/ebs-gp3/ami-id", _IMAGE
    elif image.key == "al2023":
        for kernel in ("default", "6.1"):
            yield f"{ROOT}/ami-amazon-linux-latest/al2023-ami-kernel-{kernel}-{arch}", "text"


@cache
def _infrastructure() -> dict[str, Any]:
    """The tree below global-infrastructure; a node's own value is under ""."""
    raw = (Path(__file__).with_name("data") / "regions" / "services.json").read_bytes()
    table = msgspec.json.decode(raw, type=dict[str, tuple[str, str, dict[str, tuple[str, str]]]])
    places: dict[str, Any] = {r.name: _region(r) for r in regions.regions()}
    services: dict[str, Any] = {}
    for code, (long_name, home, where) in table.items():
        here = {name: _service_in(code, name, *row) for name, row in where.items()}
        services[code] = {"": code, **_leaves(longName=long_name, marketingHomeURL=home)}
        services[code]["regions"] = {name: {**node, "": name} for name, node in here.items()}
        for name, node in here.items():
            places[name]["services"][code] = {**node, "": code}
    zones = {z: {"": z} for r in regions.regions() for z in r.zone_ids}
    return {"regions": places, "services": services, "availability-zones": zones}


def _leaves(**values: str) -> dict[str, Any]:
    return {k: {"": v} for k, v in values.items() if v}


def _region(region: regions.Region) -> dict[str, Any]:
    leaves = _leaves(
        longName=region.long_name,
        domain="amazonaws.com",
        geolocationCountry=region.country,
        geolocationRegion=region.geolocation,
        partition="aws",
    )
    zones = {z: {"": z} for z in region.zone_ids}
    return {"": region.name, **leaves, "availability-zones": zones, "services": {}}


def _service_in(code: str, region: str, endpoint: str, protocols: str) -> dict[str, Any]:
    return _leaves(endpoint=f"{code}.{region}.amazonaws.com" if endpoint == "=" else endpoint, protocols=protocols)
