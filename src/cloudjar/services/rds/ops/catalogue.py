"""What may be asked for: engine versions, and the instance classes that go with them."""

from __future__ import annotations

from typing import Any

from cloudjar.kit import filters
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.rds import errors, making, views
from cloudjar.spec import databases, regions
from cloudjar.spec.databases import Line

_VERSIONS = {
    "engine": lambda item: item["Engine"],
    "engine-version": lambda item: item["EngineVersion"],
    "status": lambda item: item["Status"],
    "db-parameter-group-family": lambda item: item["DBParameterGroupFamily"],
    "engine-mode": lambda item: item["SupportedEngineModes"],
}
_STORAGES = {"standard": (5, 3072), "gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536)}


@op("DescribeDBEngineVersions")
def describe_db_engine_versions(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The versions that run here; engines that are not built have none."""
    lines = [one for one in databases.LINES if req.get("Engine") in (None, "", one.engine)]
    if family := req.get("DBParameterGroupFamily"):
        lines = [one for one in lines if one.family == family]
    shown = [_version(ctx, one, req) for one in lines]
    if wanted := req.get("EngineVersion"):
        shown = [item for item in shown if wanted in (item["EngineVersion"], item["MajorEngineVersion"])]
    if req.get("DefaultOnly"):
        shown = shown[-1:]
    return {"DBEngineVersions": filters.apply(req.get("Filters"), _VERSIONS, shown)}


def _version(ctx: Ctx, line: Line, req: dict[str, Any]) -> dict[str, Any]:
    whole = making.here(ctx, line)
    charset = {"CharacterSetName": line.charset, "CharacterSetDescription": line.charset}
    return {
        "Engine": line.engine,
        "MajorEngineVersion": line.major,
        "EngineVersion": whole,
        "DBParameterGroupFamily": line.family,
        "DBEngineDescription": line.title,
        "DBEngineVersionArn": views.version_arn(ctx.region, line.engine, whole),
        "DBEngineVersionDescription": f"{line.title} {whole}",
        "DefaultCharacterSet": charset,
        "SupportedCharacterSets": [charset] if req.get("ListSupportedCharacterSets") else None,
        "ValidUpgradeTarget": [],
        "ExportableLogTypes": [],
        "SupportsLogExportsToCloudwatchLogs": False,
        "SupportsReadReplica": False,
        "SupportedEngineModes": ["provisioned"],
        "SupportedFeatureNames": [],
        "Status": "available",
        "SupportsParallelQuery": False,
        "SupportsGlobalDatabases": False,
        "SupportsBabelfish": False,
        "SupportsCertificateRotationWithoutRestart": True,
        "SupportedCACertificateIdentifiers": [views.AUTHORITY],
        "TagList": [],
    }


@op("DescribeOrderableDBInstanceOptions")
def describe_orderable_db_instance_options(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Which class goes with which storage, of an engine."""
    engine = req["Engine"]
    lines = [line for line in databases.LINES if line.engine == engine]
    if not lines and engine not in making.ELSEWHERE:
        raise errors.invalid(f"Invalid DB engine: {engine}")
    if req.get("Vpc") is False:
        lines = []  # nothing is outside of VPCs any more
    found = [
        _option(ctx, line, whole, kind, storage)
        for line in lines
        for whole in (making.here(ctx, line),)
        if req.get("EngineVersion") in (None, "", whole, line.major)
        and req.get("LicenseModel") in (None, "", line.licence)
        for kind in databases.classes(engine)
        if req.get("DBInstanceClass") in (None, "", kind)
        for storage in _STORAGES
    ]
    return {"OrderableDBInstanceOptions": filters.apply(req.get("Filters"), {}, found)}


def _option(ctx: Ctx, line: Line, whole: str, kind: str, storage: str) -> dict[str, Any]:
    least, most = _STORAGES[storage]
    return {
        "Engine": line.engine,
        "EngineVersion": whole,
        "DBInstanceClass": kind,
        "LicenseModel": line.licence,
        "AvailabilityZones": [{"Name": zone.name} for zone in regions.zones(ctx.region, ctx.account)],
        "MultiAZCapable": False,
        "ReadReplicaCapable": False,
        "Vpc": True,
        "SupportsStorageEncryption": False,
        "StorageType": storage,
        "SupportsIops": storage in ("io1", "io2", "gp3"),
        "SupportsStorageThroughput": storage == "gp3",
        "SupportsEnhancedMonitoring": False,
        "SupportsIAMDatabaseAuthentication": False,
        "SupportsPerformanceInsights": False,
        "MinStorageSize": least,
        "MaxStorageSize": most,
        "SupportedEngineModes": ["provisioned"],
        "SupportsStorageAutoscaling": False,
        "SupportsKerberosAuthentication": False,
        "OutpostCapable": False,
        "SupportsGlobalDatabases": False,
        "SupportsClusters": False,
        "SupportedNetworkTypes": ["IPV4"],
        "SupportsDedicatedLogVolume": False,
    }
