"""Queries of exports."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.services.bcm_data_exports.querying import query, table_of


def test_columns_under_their_own_names_and_others() -> None:
    found = query("select\n BilledCost AS cost ,\tServiceName\nfrom focus_1_0_aws;", {})
    assert found.columns == (("BilledCost", "cost"), ("ServiceName", "ServiceName"))
    assert found.table == "FOCUS_1_0_AWS"


@pytest.mark.parametrize(
    "statement",
    ["", "SELECT", "SELECT BilledCost, BilledCost FROM FOCUS_1_0_AWS", "SELECT * FROM FOCUS_1_0_AWS", " " * 36000,
     "SELECT " + " " * 36000 + "x"],
)  # fmt: skip
def test_what_is_no_query(statement: str) -> None:
    with pytest.raises(AwsError) as refused:
        query(statement, {})
    assert refused.value.code == "ValidationException"


def test_settings_have_defaults_and_only_their_values() -> None:
    found = query("SELECT line_item_usage_type FROM COST_AND_USAGE_REPORT", {})
    assert found.settings["TIME_GRANULARITY"] == "HOURLY"
    with pytest.raises(AwsError):
        query("SELECT BilledCost FROM FOCUS_1_0_AWS", {"COST_AND_USAGE_REPORT": {"TIME_GRANULARITY": "DAILY"}})
    assert table_of("nothing") == "*"
