"""What a proxy may be: families, secrets, limits.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBProxy.html
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.services.rds import errors
from cloudjar.services.rds.proxies.errors import no_group
from cloudjar.services.rds.proxies.records import GROUP, Auth, Pool

_METHODS = ("POSTGRES_SCRAM_SHA_256", "POSTGRES_MD5")
_FILTERS = ("EXCLUDE_VARIABLE_SETS",)


def family(given: str) -> None:
    """Refuse what no pooler here speaks."""
    if given == "MYSQL":
        raise errors.not_built("A proxy of the family MYSQL (ProxySQL is in no Debian, and no other pooler speaks it)")
    if given != "POSTGRESQL":
        raise errors.not_built(f"A proxy of the family {given}")


def network(req: dict[str, Any]) -> None:
    """Refuse addresses of another kind."""
    for member in ("EndpointNetworkType", "TargetConnectionNetworkType"):
        if req.get(member) not in (None, "IPV4"):
            raise errors.not_built(f"{member} {req[member]}")
    if req.get("DefaultAuthScheme") == "IAM_AUTH":
        raise errors.not_built("DefaultAuthScheme IAM_AUTH")


def secrets(given: list[dict[str, Any]]) -> tuple[Auth, ...]:
    """How clients come in. Tokens are taken of one secret's user only."""
    found = tuple(_auth(one) for one in given)
    if not found:
        raise errors.invalid("Auth must have at least one secret.")
    if len({one.secret for one in found}) < len(found):
        raise errors.invalid("Auth must not have a secret twice.")
    if len(found) > 1 and any(one.by_token for one in found):
        raise errors.not_built("IAMAuth REQUIRED of a proxy with several secrets")
    return found


def _auth(one: dict[str, Any]) -> Auth:
    if not one.get("SecretArn"):
        raise errors.invalid("SecretArn must be specified for each authentication.")
    if one.get("IAMAuth") == "ENABLED":
        raise errors.combination("IAMAuth ENABLED is valid only for proxies with RDS for Microsoft SQL Server.")
    method = one.get("ClientPasswordAuthType") or _METHODS[0]
    if method not in _METHODS:
        raise errors.combination(f"ClientPasswordAuthType {method} isn't valid for the engine family POSTGRESQL.")
    if one.get("UserName"):
        raise errors.not_built("UserName of an authentication")
    return Auth(
        secret=one["SecretArn"], description=one.get("Description") or "", by_token=one.get("IAMAuth") == "REQUIRED",
        method=method,
    )  # fmt: skip


def idle(given: int | None, usual: int = 1800) -> int:
    """Seconds after which an idle client is sent away."""
    return usual if given is None else _within("IdleClientTimeout", given, 1, 28_800)


def pool(given: dict[str, Any], before: Pool) -> Pool:
    """A changed configuration of a target group."""
    most = _within("MaxConnectionsPercent", _or(given.get("MaxConnectionsPercent"), before.most), 1, 100)
    rest = given.get("MaxIdleConnectionsPercent")
    if rest is not None and rest > most:
        raise errors.combination("MaxIdleConnectionsPercent must not be more than MaxConnectionsPercent.")
    filters = tuple(_or(given.get("SessionPinningFilters"), before.filters))
    if not set(filters) <= set(_FILTERS):
        raise errors.invalid(f"Invalid session pinning filters: {', '.join(filters)}")
    query = _or(given.get("InitQuery"), before.query)
    if any(ord(character) < 32 for character in query):
        raise errors.not_built("An InitQuery of several lines")
    return Pool(
        most=most,
        idle=min(most, _within("MaxIdleConnectionsPercent", _or(rest, before.idle), 0, 100)),
        borrow=_within("ConnectionBorrowTimeout", _or(given.get("ConnectionBorrowTimeout"), before.borrow), 0, 300),
        filters=filters,
        query=query,
    )


def group(name: str | None) -> None:
    """A proxy has one target group."""
    if name not in (None, GROUP):
        raise no_group(name or "")


def _or(given: Any, usual: Any) -> Any:
    return usual if given is None else given


def _within(member: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise errors.invalid(f"Invalid {member}: {value}. Must be between {least} and {most}.")
    return value
