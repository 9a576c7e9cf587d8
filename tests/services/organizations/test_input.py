"""Mistakes in requests: Organizations says of what kind they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jar import TestJar, running
from tests.services.iam.people import refused
from tests.services.organizations.estate import Estate, reason


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An organization that nothing is done to."""
    with running(tmp_path_factory.mktemp("input")) as jar:
        yield Estate(jar)


@pytest.mark.parametrize(
    ("call", "params", "why"),
    [
        ("describe_account", {"AccountId": "12"}, "INVALID_PATTERN"),
        ("describe_account", {}, "INPUT_REQUIRED"),
        ("list_policies", {"Filter": "HOUSE_RULES"}, "INVALID_ENUM_POLICY_TYPE"),
        ("list_children", {"ParentId": "r-abcd", "ChildType": "CAT"}, "INVALID_ENUM"),
        ("list_accounts", {"MaxResults": 21}, "MAX_VALUE_EXCEEDED"),
        ("list_accounts", {"MaxResults": 0}, "MIN_VALUE_EXCEEDED"),
        ("list_accounts", {"NextToken": "x"}, "INVALID_NEXT_TOKEN"),
        ("create_organizational_unit", {"ParentId": "r-abcd", "Name": "x" * 200}, "MAX_LENGTH_EXCEEDED"),
        ("create_organizational_unit", {"ParentId": "r-abcd", "Name": ""}, "MIN_LENGTH_EXCEEDED"),
        ("enable_aws_service_access", {"ServicePrincipal": "config"}, "UNRECOGNIZED_SERVICE_PRINCIPAL"),
    ],
)
def test_the_reason_is_told(estate: Estate, call: str, params: dict[str, Any], why: str) -> None:
    org = estate.jar.client("organizations", parameter_validation=False)
    assert reason("InvalidInputException", getattr(org, call), **params) == why


def test_lists_come_in_twenties(steady_jar: TestJar) -> None:
    estate = Estate(steady_jar)
    units = {estate.unit(f"u{n:02}") for n in range(23)}
    page = estate.org.list_organizational_units_for_parent(ParentId=estate.root)
    assert len(page["OrganizationalUnits"]) == 20
    pages = estate.org.get_paginator("list_organizational_units_for_parent").paginate(ParentId=estate.root)
    assert {unit["Id"] for page in pages for unit in page["OrganizationalUnits"]} == units
    with refused("InvalidInputException"):
        estate.org.list_accounts(NextToken=page["NextToken"])
