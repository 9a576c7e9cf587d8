"""What AWS refuses in a lifecycle configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.s3.lifecycle.checks import checked

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ALL: dict[str, Any] = {"Prefix": ""}

REFUSED = [
    ([], "MalformedXML", "not well-formed"),
    ([{"Status": "Enabled", "Expiration": {"Days": 1}}], "MalformedXML", "schema"),
    ([{"Filter": ALL, "Prefix": "", "Expiration": {"Days": 1}}], "MalformedXML", "schema"),
    ([{"Filter": {"Prefix": "", "Tag": {}}, "Expiration": {"Days": 1}}], "MalformedXML", "schema"),
    ([{"Filter": {"And": {"Prefix": "x"}}, "Expiration": {"Days": 1}}], "MalformedXML", "schema"),
    ([{"Filter": ALL}], "InvalidRequest", "At least one action needs to be specified in a rule"),
    ([{"Filter": ALL, "Expiration": {"Days": 0}}], "InvalidArgument", "must be a positive integer"),
    ([{"Filter": ALL, "Expiration": {"Date": NOON}}], "InvalidArgument", "'Date' must be at midnight GMT"),
    ([{"Filter": ALL, "Expiration": {"Days": 1, "Date": NOON}}], "MalformedXML", "schema"),
    (
        [{"Filter": ALL, "ID": "a", "Expiration": {"Days": 1}}, {"Filter": ALL, "ID": "a", "Expiration": {"Days": 2}}],
        "InvalidArgument",
        "Rule ID must be unique. Found same ID for more than one rule",
    ),
    ([{"Filter": ALL, "ID": "a" * 256, "Expiration": {"Days": 1}}], "InvalidArgument", "allowed limit of 255"),
    (
        [{"Filter": ALL, "Transitions": [{"Days": 29, "StorageClass": "STANDARD_IA"}]}],
        "InvalidArgument",
        "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
    ),
    (
        [{"Filter": ALL, "Transitions": [{"Days": 9, "StorageClass": "GLACIER"}], "Expiration": {"Days": 9}}],
        "InvalidArgument",
        "'Days' in the Expiration action for filter '(prefix=)' must be greater than 'Days' in the Transition action",
    ),
    (
        [
            {
                "Filter": ALL,
                "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 101},
            }
        ],
        "InvalidArgument",
        "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 and 100 inclusive",
    ),
    (
        [
            {
                "Filter": {"Tag": {"Key": "a", "Value": "b"}},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            }
        ],
        "InvalidRequest",
        "AbortIncompleteMultipartUpload cannot be specified with Tags.",
    ),
    (
        [
            {
                "Filter": {"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}},
                "Expiration": {"Days": 1},
            }
        ],
        "InvalidRequest",
        "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
    ),
]


@pytest.mark.parametrize(("rules", "code", "words"), REFUSED)
def test_refused(rules: list[dict[str, Any]], code: str, words: str) -> None:
    with pytest.raises(AwsError) as caught:
        checked(rules)
    assert caught.value.code == code
    assert words in caught.value.message


def test_a_rule_without_a_name_gets_one() -> None:
    (rule,) = checked([{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}])
    assert len(rule["ID"]) == 48
