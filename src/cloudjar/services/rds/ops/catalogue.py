"""What may be asked for: engine versions, and the instance classes that go with them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import authorities, errors, exporting, pairs, rules, tokens, versions, views
from cloudjar.services.rds.versions import Target, Version
from cloudjar.spec import databases, regions
from cloudjar.spec.databases import Line

_VERSIONS = {
    "engine": lambda item: item["Engine"],
    "engine-version": lambda item: item["EngineVersion"],
    "status": lambda item: item["Status"],
    "db-parameter-group-family": lambda item: item["DBParameterGroupFamily"],
    "engine-mode": lambda item: item["SupportedEngineModes"],
}


@op("DescribeDBEngineVersions")
def describe_db_engine_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The versions that run here; engines that are not built have none."""
    engine = req.get("Engine") or ""
    found = list(versions.every(ctx.world, engine))
    if family := req.get("DBParameterGroupFamily"):
        found = [one for one in found if one.line.family == family]
    if wanted := req.get("EngineVersion"):
        found = [one for one in found if wanted in (one.whole, one.line.major)]
    if req.get("DefaultOnly"):
        found = [one for one in found if _is_default(ctx, one, req)]
    shown = [_version(ctx, one, req) for one in found]
    return {"DBEngineVersions": filters.apply(req.get("Filters"), _VERSIONS, shown)}


def _is_default(ctx: Ctx, one: Version, req: dict[str, Any]) -> bool:
    """The usual version of the major that is named, or of the engine's usual major."""
    named = req.get("EngineVersion") or req.get("DBParameterGroupFamily")
    line = one.line if named else databases.usual(one.line.engine)
    return one.line == line and one.whole == versions.usual(ctx.world, one.line)


def _version(ctx: Ctx, one: Version, req: dict[str, Any]) -> dict[str, Any]:
    line, whole = one
    charset = {"CharacterSetName": line.charset, "CharacterSetDescription": line.charset}
    return {
        "Engine": line.engine,
        "MajorEngineVersion": line.major,
        "EngineVersion": whole,
        "DBParameterGroupFamily": line.family,
        "DBEngineDescription": line.title,
        "DBEngineVersionArn": views.version_arn(ctx.region, line.engine, whole),
        "DBEngineVersionDescription": _described(line, whole),
        "DefaultCharacterSet": charset,
        "SupportedCharacterSets": [charset] if req.get("ListSupportedCharacterSets") else None,
        "ValidUpgradeTarget": [_target(ctx, line, one) for one in versions.targets(ctx.world, line.engine, whole)],
        **_ALIKE,
        "SupportsReadReplica": line.engine in pairs.ENGINES,
        "ExportableLogTypes": list(exporting.EXPORTS.get(line.engine, ())),
        "SupportsLogExportsToCloudwatchLogs": line.engine in exporting.EXPORTS,
    }


def _described(line: Line, whole: str) -> str:
    return f"Aurora PostgreSQL (compatible with PostgreSQL {whole})" if line.listed else f"{line.title} {whole}"


_ALIKE: dict[str, Any] = {
    "SupportedEngineModes": ["provisioned"],
    "SupportedFeatureNames": [],
    "Status": "available",
    "SupportsParallelQuery": False,
    "SupportsGlobalDatabases": False,
    "SupportsBabelfish": False,
    "SupportsCertificateRotationWithoutRestart": True,
    "SupportedCACertificateIdentifiers": sorted(authorities.KEYS),
    "TagList": [],
}
"""What every version says of what is not built."""


def _target(ctx: Ctx, line: Line, one: Target) -> dict[str, Any]:
    return {
        "Engine": line.engine,
        "EngineVersion": one.whole,
        "Description": _described(line, one.whole),
        "AutoUpgrade": one.auto,
        "IsMajorVersionUpgrade": one.major,
        "SupportedEngineModes": ["provisioned"],
        "SupportsParallelQuery": False,
        "SupportsGlobalDatabases": False,
        "SupportsBabelfish": False,
    }


@op("DescribeOrderableDBInstanceOptions")
def describe_orderable_db_instance_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which class goes with which storage, of each version of an engine."""
    engine = req["Engine"]
    if databases.usual(engine) is None and engine not in versions.ELSEWHERE:
        raise errors.invalid(f"Invalid DB engine: {engine}")
    # Nothing is outside of VPCs any more.
    known = [] if req.get("Vpc") is False else list(versions.every(ctx.world, engine))
    found = [
        _option(ctx, one.line, one.whole, kind, storage)
        for one in known
        if req.get("EngineVersion") in (None, "", one.whole, one.line.major)
        and req.get("LicenseModel") in (None, "", one.line.licence)
        for kind in databases.classes(engine)
        if req.get("DBInstanceClass") in (None, "", kind)
        for storage in (("aurora",) if one.line.listed else rules.SIZES)
    ]
    return {"OrderableDBInstanceOptions": filters.apply(req.get("Filters"), {}, found)}


def _option(ctx: Ctx, line: Line, whole: str, kind: str, storage: str) -> dict[str, Any]:
    least, most = rules.SIZES.get(storage, (None, None))
    return {
        "Engine": line.engine,
        "EngineVersion": whole,
        "DBInstanceClass": kind,
        "LicenseModel": line.licence,
        "AvailabilityZones": [{"Name": zone.name} for zone in regions.zones(ctx.region, ctx.account)],
        "MultiAZCapable": line.engine in pairs.ENGINES,
        "ReadReplicaCapable": line.engine in pairs.ENGINES,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "StorageType": storage,
        "SupportsIops": storage in ("io1", "io2", "gp3"),
        "SupportsStorageThroughput": storage == "gp3",
        "SupportsEnhancedMonitoring": True,
        "SupportsIAMDatabaseAuthentication": tokens.understood(line.engine, whole),
        "SupportsPerformanceInsights": True,
        "MinStorageSize": least,
        "MaxStorageSize": most,
        "SupportedEngineModes": ["provisioned"],
        "SupportsStorageAutoscaling": storage in rules.AUTOSCALED,
        "SupportsKerberosAuthentication": False,
        "OutpostCapable": False,
        "SupportsGlobalDatabases": False,
        "SupportsClusters": bool(line.listed),
        "SupportedNetworkTypes": ["IPV4"],
        "SupportsDedicatedLogVolume": False,
    }
