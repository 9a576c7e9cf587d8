"""Proxies as the API shows them."""

from __future__ import annotations

from typing import Any

from cloudjar.base import arn as arns
from cloudjar.kit.context import Ctx
from cloudjar.kit.record import arn_of
from cloudjar.services.rds import naming as instances
from cloudjar.services.rds.proxies import naming
from cloudjar.services.rds.proxies.records import GROUP, Auth, Proxy, ProxyEndpoint
from cloudjar.services.rds.records import DbInstance


def show_proxy(ctx: Ctx, proxy: Proxy) -> dict[str, Any]:
    """A proxy."""
    first = next((one for one in ctx.db[ProxyEndpoint].all(proxy=proxy.name) if one.first), None)
    return {
        "DBProxyName": proxy.name,
        "DBProxyArn": arn_of(proxy),
        "Status": proxy.state,
        "EngineFamily": "POSTGRESQL",
        "VpcId": proxy.vpc_id,
        "VpcSecurityGroupIds": list(proxy.groups),
        "VpcSubnetIds": [subnet.id for subnet in proxy.subnets],
        "DefaultAuthScheme": "NONE",
        "Auth": [_auth(one) for one in proxy.auth],
        "RoleArn": proxy.role,
        "Endpoint": naming.endpoint(first) if first is not None else None,
        "RequireTLS": proxy.needs_tls,
        "IdleClientTimeout": proxy.idle,
        "DebugLogging": proxy.verbose,
        "CreatedDate": proxy.created,
        "UpdatedDate": proxy.updated,
        "EndpointNetworkType": "IPV4",
        "TargetConnectionNetworkType": "IPV4",
    }


def _auth(one: Auth) -> dict[str, Any]:
    return {
        "Description": one.description or None,
        "AuthScheme": "SECRETS",
        "SecretArn": one.secret,
        "IAMAuth": "REQUIRED" if one.by_token else "DISABLED",
        "ClientPasswordAuthType": one.method,
    }


def show_group(proxy: Proxy) -> dict[str, Any]:
    """A proxy's target group."""
    return {
        "DBProxyName": proxy.name,
        "TargetGroupName": GROUP,
        "TargetGroupArn": arns.make("rds", proxy.region, proxy.account, f"target-group:{proxy.group_id}"),
        "IsDefault": True,
        "Status": "available",
        "ConnectionPoolConfig": {
            "MaxConnectionsPercent": proxy.pool.most,
            "MaxIdleConnectionsPercent": proxy.pool.idle,
            "ConnectionBorrowTimeout": proxy.pool.borrow,
            "SessionPinningFilters": list(proxy.pool.filters),
            "InitQuery": proxy.pool.query or None,
        },
        "CreatedDate": proxy.created,
        "UpdatedDate": proxy.pool_updated,
    }


def show_target(proxy: Proxy, db: DbInstance | None) -> dict[str, Any]:
    """The instance behind a proxy; `db` is None when it is gone."""
    return {
        "Endpoint": instances.endpoint(db) if db is not None else None,
        "RdsResourceId": db.id if db is not None else proxy.instance,
        "Port": db.port if db is not None else None,
        "Type": "RDS_INSTANCE",
        "Role": "READ_WRITE" if db is not None and not db.source else "UNKNOWN",
        "TargetHealth": {
            "State": proxy.health, "Reason": proxy.why or None, "Description": proxy.words or None,
        },
    }  # fmt: skip


def show_endpoint(one: ProxyEndpoint) -> dict[str, Any]:
    """An endpoint of a proxy."""
    return {
        "DBProxyEndpointName": one.name,
        "DBProxyEndpointArn": arn_of(one),
        "DBProxyName": one.proxy,
        "Status": one.state,
        "VpcId": one.vpc_id,
        "VpcSecurityGroupIds": list(one.groups),
        "VpcSubnetIds": list(one.subnets),
        "Endpoint": naming.endpoint(one),
        "CreatedDate": one.created,
        "TargetRole": "READ_WRITE",
        "IsDefault": one.first,
        "EndpointNetworkType": "IPV4",
    }
