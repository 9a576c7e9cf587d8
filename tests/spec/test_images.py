"""Images and the public parameters that lead to them."""

from __future__ import annotations

import fnmatch
import gzip
import json
import re
from pathlib import Path
from typing import Any

import botocore
import pytest

from cloudjar.spec import images, public_parameters, regions


@pytest.mark.parametrize(
    ("owner", "pattern", "user", "device"),
    [
        ("136693071363", "debian-12-amd64-*", "admin", "/dev/xvda"),
        ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", "ubuntu", "/dev/sda1"),
        ("137112412989", "al2023-ami-2023.*-kernel-6.1-x86_64", "ec2-user", "/dev/xvda"),
    ],
)
def test_the_usual_filters_find_one_image(owner: str, pattern: str, user: str, device: str) -> None:
    for region in regions.NAMES:
        found = [i for i in images.catalogue(region) if fnmatch.fnmatchcase(i.name, pattern)]
        assert [(i.release.owner, i.user, i.root_device) for i in found] == [(owner, user, device)]
        assert images.by_id(region, found[0].id) == found[0]


def test_ids_are_stable_and_of_their_region() -> None:
    every = [image.id for region in regions.NAMES for image in images.catalogue(region)]
    assert len(set(every)) == len(every) == len(regions.NAMES) * 6
    assert all(re.fullmatch(r"ami-[0-9a-f]{17}", i) for i in every)
    paris = images.find("eu-west-3", "debian-12")
    assert images.by_id("us-east-1", paris.id) is None
    assert paris.id == images.derived_id("ami", "eu-west-3", paris.name)


def test_the_debian_name_has_its_form() -> None:
    assert re.fullmatch(r"debian-12-amd64-\d{8}-\d{4}", images.find("eu-west-3", "debian-12").name)


def test_facts_are_members_of_the_model() -> None:
    folder = Path(botocore.__file__).parent / "data" / "ec2"
    raw = sorted(folder.glob("*/service-2.json.gz"))[-1].read_bytes()
    shapes: dict[str, Any] = json.loads(gzip.decompress(raw))["shapes"]
    for image in images.catalogue("eu-west-3"):
        facts = image.facts()
        assert set(facts) <= set(shapes["Image"]["members"])
        assert facts["BootMode"] in shapes["BootModeValues"]["enum"]
        assert facts["BlockDeviceMappings"][0]["DeviceName"] == facts["RootDeviceName"]
        assert set(facts["BlockDeviceMappings"][0]["Ebs"]) <= set(shapes["EbsBlockDevice"]["members"])


@pytest.mark.parametrize(
    ("name", "key", "architecture"),
    [
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "al2023", "x86_64"),
        ("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-6.1-arm64", "al2023", "arm64"),
        (
            "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
            "ubuntu-24.04",
            "x86_64",
        ),
        ("/aws/service/canonical/ubuntu/server/noble/stable/current/arm64/hvm/ebs-gp3/ami-id", "ubuntu-24.04", "arm64"),
        ("/aws/service/debian/release/12/latest/amd64", "debian-12", "x86_64"),
    ],
)
def test_parameters_lead_to_images(name: str, key: str, architecture: str) -> None:
    found = public_parameters.get(name, "eu-west-3")
    assert found is not None
    assert found.value == images.find("eu-west-3", key, architecture).id
    elsewhere = public_parameters.get(name, "us-east-1")
    assert elsewhere is not None
    assert elsewhere.value != found.value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("regions/eu-west-3", "eu-west-3"),
        ("regions/eu-west-3/longName", "Europe (Paris)"),
        ("regions/eu-west-3/geolocationCountry", "FR"),
        ("regions/eu-west-3/availability-zones/euw3-az1", "euw3-az1"),
        ("regions/eu-west-3/services/ec2", "ec2"),
        ("regions/eu-west-3/services/ec2/endpoint", "ec2.eu-west-3.amazonaws.com"),
        ("services/ec2/longName", "Amazon Elastic Compute Cloud (EC2)"),
        ("services/ec2/regions/us-east-1", "us-east-1"),
        ("availability-zones/use1-az6", "use1-az6"),
    ],
)
def test_the_global_infrastructure(name: str, value: str) -> None:
    found = public_parameters.get(f"/aws/service/global-infrastructure/{name}", "us-east-1")
    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    "name",
    [
        "/aws/service/global-infrastructure/regions",
        "/aws/service/global-infrastructure/regions/eu-west-9",
        "/aws/service/global-infrastructure/regions//longName",
        "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
        "/aws/service",
        "/mine",
    ],
)
def test_what_is_no_parameter(name: str) -> None:
    assert public_parameters.get(name, "eu-west-3") is None


def test_by_path() -> None:
    def names(path: str, *, recursive: bool = False) -> list[str]:
        return [p.name for p in public_parameters.by_path(path, "eu-west-3", recursive=recursive)]

    root = "/aws/service/global-infrastructure/regions"
    assert {n.rsplit("/", 1)[1] for n in names(root)} == regions.NAMES
    assert len(names("/aws/service/ami-amazon-linux-latest")) == 4
    assert names("/aws/service/canonical") == []
    assert len(names("/aws/service/canonical/", recursive=True)) == 8
    below = names(f"{root}/eu-west-3/services", recursive=True)
    assert f"{root}/eu-west-3/services/ec2/endpoint" in below
    assert f"{root}/eu-west-3/services/ec2" in below
    assert all(public_parameters.get(n, "eu-west-3") for n in below)
    everything = names("/aws/service", recursive=True)
    assert len(everything) == len(set(everything)) > 20000


def test_only_aws_has_parameters_there() -> None:
    assert public_parameters.is_public("/aws/service/x")
    assert not public_parameters.is_public("/aws/services")
