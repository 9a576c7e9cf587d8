"""All checks of a policy, in one pass over its statements."""

from __future__ import annotations

from typing import Any

from cloudjar.services.accessanalyzer.validation import (
    actions,
    conditions,
    overlap,
    principals,
    resources,
    roles,
    source,
    structure,
    variables,
)
from cloudjar.services.accessanalyzer.validation.report import Report
from cloudjar.services.accessanalyzer.validation.source import Node


def validate(text: str, kind: str, resource: str = "") -> list[dict[str, Any]]:
    """The findings about a policy document, in the API's form; `kind` is the API's policy type."""
    report = Report(text, kind, resource)
    try:
        root = source.read(text)
    except source.JsonError as error:
        where = source.position(text, error.at)
        place = Node("string", (), error.at, min(error.at + 1, len(text)))
        report.add("JSON_SYNTAX_ERROR", place, index=where.offset, line=where.line, column=where.column)
        return report.show()
    statements = structure.check_document(report, root)
    version = root.get("Version")
    for statement in statements:
        structure.check_statement(report, statement)
        actions.check_actions(report, statement)
        resources.check_resources(report, statement)
        principals.check_principals(report, statement)
        conditions.check_conditions(report, statement)
        variables.check_variables(report, statement, old=version is None or version.value != "2012-10-17")
        roles.check_roles(report, statement)
        overlap.check_overlap(report, statement)
    structure.check_sids(report, statements)
    overlap.check_statements(report, statements)
    structure.check_size(report)
    return report.show()
