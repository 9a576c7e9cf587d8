"""Makes data/regions and data/instance_types: what runs where.

    python -m cloudjar.spec.refresh.places MOTO

MOTO is the unpacked PyPI wheel moto (Apache-2.0); of it only its recorded answers of AWS are read: the
public SSM parameters of global-infrastructure, DescribeInstanceTypes and DescribeInstanceTypeOfferings.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "data"


def read(file: Path) -> Any:
    """A gzipped JSON file."""
    return json.loads(gzip.decompress(file.read_bytes()))


def rows(table: dict[str, Any]) -> str:
    """A JSON object with one line per entry."""
    lines = (f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'), ensure_ascii=False)}" for k, v in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def regions(moto: Path) -> None:
    """Names and zones of the standard partition; which services are where, with what endpoint."""
    tree = read(moto / "ssm/resources/regions.json.gz")["aws"]["service"]["global-infrastructure"]["regions"]
    names: dict[str, Any] = {}
    places: dict[str, Any] = {}
    for name, region in sorted(tree.items()):
        if region["partition"]["Value"] != "aws":
            continue
        names[name] = [
            region["longName"]["Value"],
            region["geolocationCountry"]["Value"],
            region["geolocationRegion"]["Value"],
            sorted(region["availability-zones"]),
        ]
        for code, service in region["services"].items():
            endpoint = service.get("endpoint", {}).get("Value", "")
            short = {f"{code}.{name}.amazonaws.com": "=", "": ""}.get(endpoint, endpoint)
            places.setdefault(code, {})[name] = [short, service.get("protocols", {}).get("Value", "")]
    (DATA / "regions/regions.json").write_text(rows(names))
    tree = read(moto / "ssm/resources/services.json.gz")["aws"]["service"]["global-infrastructure"]["services"]
    services = {}
    for code, service in sorted(tree.items()):
        services[code] = [service.get(k, {}).get("Value", "") for k in ("longName", "marketingHomeURL")]
        services[code].append(places.get(code, {}))
    (DATA / "regions/services.json").write_text(rows(services))


def instance_types(moto: Path) -> None:
    """The types, one per line, and the zones of each region that offer them."""
    types = read(moto / "ec2/resources/instance_types.json.gz")
    drop = ("SupportedInRegion",)
    index: dict[str, Any] = {}
    place = 0
    with (DATA / "instance_types/types.jsonl").open("wb") as out:
        for name, facts in sorted(types.items()):
            line = json.dumps({k: v for k, v in facts.items() if k not in drop}, separators=(",", ":")).encode() + b"\n"
            out.write(line)
            index[name] = [place, len(line) - 1, facts["VCpuInfo"]["DefaultVCpus"], facts["MemoryInfo"]["SizeInMiB"]]
            place += len(line)
    (DATA / "instance_types/index.json").write_text(rows(index))
    order = {name: i for i, name in enumerate(index)}
    offers: dict[str, Any] = {}
    for file in sorted((moto / "ec2/resources/instance_type_offerings/availability-zone-id").glob("*.json.gz")):
        region = file.name.split(".")[0]
        zones: dict[str, list[int]] = {}
        for offer in read(file):
            zones.setdefault(offer["Location"], []).append(order[offer["InstanceType"]])
        offers[region] = {zone: runs(sorted(found)) for zone, found in sorted(zones.items())}
    (DATA / "instance_types/offerings.json").write_text(rows(offers))


def runs(numbers: list[int]) -> list[int]:
    """Sorted numbers as [first, count, first, count...]: neighbours in the index are mostly offered together."""
    found: list[int] = []
    for n in numbers:
        if found and found[-2] + found[-1] == n:
            found[-1] += 1
        else:
            found += [n, 1]
    return found


def main(folder: str) -> None:
    """Write every file."""
    for name in ("regions", "instance_types"):
        (DATA / name).mkdir(parents=True, exist_ok=True)
    regions(Path(folder))
    instance_types(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1])
