"""Which names of AWS's lead guests to the jar, and where."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from cloudjar.gateway import public_names
from cloudjar.planes.network.sim import SimNetwork


@pytest.mark.parametrize(("name", "service"), [
    ("sts.eu-west-3.amazonaws.com", "sts"), ("sts.amazonaws.com", "sts"), ("IAM.amazonaws.com.", "iam"),
    ("logs.eu-west-3.amazonaws.com", "logs"), ("monitoring.us-east-1.amazonaws.com", "monitoring"),
    ("api.ecr.eu-west-3.amazonaws.com", "api.ecr"), ("dynamodb.eu-west-3.amazonaws.com", "dynamodb"),
    ("s3.amazonaws.com", "s3"), ("s3.eu-west-3.amazonaws.com", "s3"), ("jam.s3.eu-west-3.amazonaws.com", "s3"),
    ("a.b.s3.amazonaws.com", "s3"), ("jam.s3-website.eu-west-3.amazonaws.com", "s3"),
    ("s3.dualstack.eu-west-3.amazonaws.com", "s3"), ("123456789012.s3-control.eu-west-3.amazonaws.com", "s3"),
])  # fmt: skip
def test_endpoints_have_names(name: str, service: str) -> None:
    assert public_names.service(name) == service


@pytest.mark.parametrize("name", [
    "", "amazonaws.com", "www.amazonaws.com", "sts.example.com", "sts.eu-west-3.amazonaws.com.example.com",
    "db.cabc.eu-west-3.rds.amazonaws.com", "web-1.eu-west-3.elb.amazonaws.com", "sts.mars-north-1.amazonaws.com",
    "ec2-198-18-0-5.eu-west-3.compute.amazonaws.com", "ec2-198-18-0-5.compute-1.amazonaws.com", "localhost",
    "logs.sts.eu-west-3.amazonaws.com", "sts.localhost",
])  # fmt: skip
def test_others_are_not_theirs(name: str) -> None:
    assert public_names.service(name) == ""
    assert public_names.addresses(SimNetwork(), "vpc-1", name) is None


def test_guests_are_led_to_the_jar_and_services_with_gateways_to_their_own_addresses() -> None:
    network = SimNetwork()
    own = network.service_addresses
    assert public_names.addresses(network, "vpc-1", "sts.eu-west-3.amazonaws.com") == (network.host_address,)
    assert public_names.addresses(network, "vpc-1", "jam.s3.eu-west-3.amazonaws.com") == (own["s3"],)
    assert public_names.addresses(network, "vpc-1", "dynamodb.eu-west-3.amazonaws.com") == (own["dynamodb"],)
    assert public_names.addresses(network, "", "sts.eu-west-3.amazonaws.com") is None, "the host's names are its own"


@pytest.mark.parametrize("name", [
    "iam.amazonaws.com", "sts.eu-west-3.amazonaws.com", "jam.s3.amazonaws.com", "jam.s3.ap-south-2.amazonaws.com"])
def test_certificates_have_them(name: str) -> None:
    assert any(fnmatch(name, known) and name.count(".") == known.count(".")
               for known in public_names.certificate_names())
