"""Whether a line of the ledger is meant by an expression: as Cost Explorer reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudjar.billing.expressions import Expressions, Keep, Refused
from cloudjar.services.budgets import errors


def compiled(expression: Mapping[str, Any] | None) -> Keep:
    """An expression as a test of lines; raises InvalidParameterException for what cannot be told of a line."""
    try:
        return Expressions().keep(expression)
    except Refused as refused:
        raise errors.invalid(str(refused)) from None
