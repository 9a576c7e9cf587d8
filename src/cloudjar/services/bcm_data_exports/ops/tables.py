"""The tables that can be exported.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_bcmDataExports_ListTables.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.billing.report_columns import DESCRIPTIONS, PROPERTIES, TABLES
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.bcm_data_exports import errors, querying


@op("ListTables")
def list_tables(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Each with the settings that it has."""
    return {
        "Tables": [
            {
                "TableName": table,
                "Description": DESCRIPTIONS[table],
                "TableProperties": [
                    {"Name": name, "ValidValues": list(values), "DefaultValue": values[0]}
                    for name, values in PROPERTIES[table].items()
                ],
            }
            for table in TABLES
        ]
    }


@op("GetTable")
def get_table(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The columns of one."""
    table = req["TableName"]
    if table not in TABLES:
        raise errors.invalid(f"There is no table {table}.")
    return {
        "TableName": table,
        "Description": DESCRIPTIONS[table],
        "TableProperties": querying.settings(table, req.get("TableProperties") or {}),
        "Schema": [{"Name": name, "Type": kind} for name, (kind, _) in TABLES[table].items()],
    }
