"""Parameter policies: by the clock."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.ssm.policies import read
from tests.jar import TestJar
from tests.services.ssm.asking import get, put, refused


def expiration(moment: datetime) -> dict[str, Any]:
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": stamp}}


def notice(kind: str, word: str, number: int, unit: str = "Days") -> dict[str, Any]:
    return {"Type": kind, "Version": "1.0", "Attributes": {word: str(number), "Unit": unit}}


def soon(number: int, unit: str = "Days") -> dict[str, Any]:
    return notice("ExpirationNotification", "Before", number, unit)


def unchanged(number: int, unit: str = "Days") -> dict[str, Any]:
    return notice("NoChangeNotification", "After", number, unit)


def actions(jar: TestJar) -> list[tuple[str, datetime]]:
    """The policies that acted, and when."""
    found = [e for e in jar.jar.events.since(0) if e.detail_type == "Parameter Store Policy Action"]
    return [(event.detail["policy-type"], event.time) for event in found]


def test_a_parameter_expires(jar: TestJar, store: Any) -> None:
    start = jar.clock.now()
    given = [expiration(start + timedelta(days=10)), soon(3), soon(12, "Hours")]
    answer = store.put_parameter(
        Name="/a", Value="v", Type="String", Tier="Intelligent-Tiering", Policies=json.dumps(given)
    )
    assert answer["Tier"] == "Advanced"
    described = store.describe_parameters()["Parameters"][0]["Policies"]
    assert [json.loads(policy["PolicyText"]) for policy in described] == given
    assert {policy["PolicyStatus"] for policy in described} == {"Pending"}
    jar.advance(days=8)
    assert actions(jar) == [("ExpirationNotification", start + timedelta(days=7))]
    statuses = [policy["PolicyStatus"] for policy in store.describe_parameters()["Parameters"][0]["Policies"]]
    assert statuses == ["Pending", "Finished", "Pending"]
    jar.advance(days=1, hours=23)
    assert get(store, "/a") == "v"
    jar.advance(hours=2)
    with refused("ParameterNotFound"):
        get(store, "/a")
    assert actions(jar)[1:] == [
        ("ExpirationNotification", start + timedelta(days=9.5)),
        ("Expiration", start + timedelta(days=10)),
    ]
    last = [event.detail for event in jar.jar.events.since(0)][-1]
    assert (last["operation"], last["name"]) == ("Delete", "/a")


def test_a_parameter_that_nobody_changes(jar: TestJar, store: Any) -> None:
    start = jar.clock.now()
    put(store, "/a", Tier="Advanced", Policies=json.dumps([unchanged(20)]))
    jar.advance(days=15)
    store.put_parameter(Name="/a", Value="2", Overwrite=True)
    jar.advance(days=15)
    assert actions(jar) == []
    jar.advance(days=30)
    assert actions(jar) == [("NoChangeNotification", start + timedelta(days=35))]
    store.put_parameter(Name="/a", Value="3", Overwrite=True)
    jar.advance(days=20)
    assert len(actions(jar)) == 2


def test_policies_stay_until_others_come(jar: TestJar, store: Any) -> None:
    put(store, "/a", Tier="Advanced", Policies=json.dumps([unchanged(1)]))
    store.put_parameter(Name="/a", Value="2", Overwrite=True)
    assert len(store.describe_parameters()["Parameters"][0]["Policies"]) == 1
    store.put_parameter(Name="/a", Value="3", Overwrite=True, Policies="[{}]")
    assert store.describe_parameters()["Parameters"][0]["Policies"] == []
    assert len(store.get_parameter_history(Name="/a")["Parameters"][1]["Policies"]) == 1
    jar.advance(days=10)
    assert actions(jar) == []


def test_the_standard_tier_has_none(steady_jar: TestJar) -> None:
    with refused("ValidationException", "advanced-parameter tier"):
        put(steady_jar.client("ssm"), "/a", Tier="Standard", Policies=json.dumps([unchanged(1)]))


LATER = datetime.fromisoformat("2027-01-01T00:00:00+00:00")
NOW = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("no json", "InvalidPolicyAttributeException"),
        ({}, "InvalidPolicyAttributeException"),
        ([{"Type": "Rotation", "Version": "1.0", "Attributes": {}}], "InvalidPolicyTypeException"),
        ([expiration(LATER), expiration(LATER)], "IncompatiblePolicyException"),
        ([expiration(NOW)], "InvalidPolicyAttributeException"),
        ([{**expiration(LATER), "Attributes": {"Timestamp": "soon"}}], "InvalidPolicyAttributeException"),
        ([{**expiration(LATER), "Attributes": {"Timestamp": "2027-01-01"}}], "InvalidPolicyAttributeException"),
        ([{**expiration(LATER), "Version": "2.0"}], "InvalidPolicyAttributeException"),
        ([soon(3)], "InvalidPolicyAttributeException"),
        ([unchanged(0)], "InvalidPolicyAttributeException"),
        ([unchanged(3, "Weeks")], "InvalidPolicyAttributeException"),
        ([{"Type": "NoChangeNotification", "Version": "1.0"}], "InvalidPolicyAttributeException"),
        ([unchanged(n) for n in range(1, 12)], "PoliciesLimitExceededException"),
    ],
)
def test_policies_that_cannot_be(given: Any, code: str) -> None:
    with pytest.raises(AwsError) as error:
        read(given if isinstance(given, str) else json.dumps(given), NOW)
    assert error.value.code == code
