"""The columns of reports: CUR 2.0's under their old names.

https://docs.aws.amazon.com/cur/latest/userguide/data-dictionary.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from cloudjar.billing.report_columns import CUR_COLUMNS
from cloudjar.billing.report_files import PARQUET
from cloudjar.billing.report_rows import Column

_FAMILIES = {
    "bill_": "bill", "identity_": "identity", "line_item_": "lineItem", "pricing_": "pricing", "product_": "product",
    "reservation_": "reservation", "savings_plan_": "savingsPlan",
}  # fmt: skip
_IRREGULAR = {"product_servicecode": "product/servicecode", "product_region_code": "product/regionCode",
              "product_instance_type": "product/instanceType", "pricing_unit": "pricing/unit",
              "pricing_currency": "pricing/currency"}  # fmt: skip


def named(form: str, elements: Collection[str]) -> Iterator[tuple[str, Column]]:
    """The columns of a report with some schema elements, by their names in files of a form."""
    for name, column in CUR_COLUMNS.items():
        if name == "resource_tags" or (name == "line_item_resource_id" and "RESOURCES" not in elements):
            continue
        yield (name if form == PARQUET else old(name)), column


def old(name: str) -> str:
    """``lineItem/UsageAmount`` of ``line_item_usage_amount``."""
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    prefix = next(prefix for prefix in _FAMILIES if name.startswith(prefix))
    words = name.removeprefix(prefix).split("_")
    return f"{_FAMILIES[prefix]}/{''.join('OnDemand' if word == 'ondemand' else word.capitalize() for word in words)}"
