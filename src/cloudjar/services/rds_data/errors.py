"""What the Data API answers, in its words.

https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from cloudjar.base.errors import AwsError
from cloudjar.planes.database.postgres_wire import Said


def bad(message: str) -> AwsError:
    """A request that cannot be."""
    return AwsError("BadRequestException", message, 400)


def not_enabled(arn: str) -> AwsError:
    """The cluster has no Data API."""
    return AwsError("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for resource {arn}", 400)


def no_writer() -> AwsError:
    """Nobody takes statements now."""
    return AwsError("DatabaseUnavailableException", "The writer instance in the DB cluster isn't available.", 504)


def no_transaction(name: str) -> AwsError:
    """It is over, or never was."""
    return AwsError("TransactionNotFoundException", f"Transaction {name} is not found", 404)


def said(engine: Said) -> AwsError:
    """The engine's own words, as the Data API hands them on."""
    at = f" Position: {engine.position};" if engine.position else ""
    return AwsError("DatabaseErrorException", f"ERROR: {engine.message};{at} SQLState: {engine.code}", 400)


def late(process: int) -> AwsError:
    """The time of a call is over."""
    return AwsError("StatementTimeoutException", "Request timed out", 400, members={"dbConnectionId": process})


def unsupported(message: str) -> AwsError:
    """A result that cannot be told."""
    return AwsError("UnsupportedResultException", message, 400)


def failed_transaction() -> AwsError:
    """What was to be committed had failed before: the engine rolled it back."""
    message = "ERROR: current transaction is aborted, it was rolled back; SQLState: 25P02"
    return AwsError("DatabaseErrorException", message, 400)


def unexpected_result() -> AwsError:
    """A batch of what brings rows."""
    return AwsError("DatabaseErrorException", "A result was returned when none was expected.", 400)
