"""Destinations as requests describe them: checked, with AWS's defaults filled in.

https://docs.aws.amazon.com/firehose/latest/APIReference/API_ExtendedS3DestinationConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.services.firehose import errors, prefixes
from cloudjar.services.firehose.records import HTTP, S3

PRINCIPAL = "firehose.amazonaws.com"
_COMPRESSIONS = ("UNCOMPRESSED", "GZIP", "ZIP")
_ABSENT = ("Redshift", "Elasticsearch", "Amazonopensearchservice", "Splunk", "AmazonOpenSearchServerless", "Snowflake",
           "Iceberg")  # fmt: skip
Config = dict[str, Any]


def _hints(given: Config, size: int, seconds: int) -> Config:
    hints = given.get("BufferingHints") or {}
    wanted, interval = hints.get("SizeInMBs"), hints.get("IntervalInSeconds")
    return {
        "SizeInMBs": size if wanted is None else wanted,
        "IntervalInSeconds": seconds if interval is None else interval,
    }


def _logging(given: Config) -> Config:
    told = dict(given.get("CloudWatchLoggingOptions") or {"Enabled": False})
    if told.get("Enabled") and not (told.get("LogGroupName") and told.get("LogStreamName")):
        raise errors.invalid("LogGroupName and LogStreamName are required when CloudWatch logging is enabled.")
    return told


def _processing(given: Config) -> Config | None:
    told: Config | None = given.get("ProcessingConfiguration")
    for processor in (told or {}).get("Processors") or ():
        if processor["Type"] != "AppendDelimiterToRecord":
            raise errors.not_built(f"The processor {processor['Type']}")
    return told


def s3(ctx: Ctx, given: Config) -> Config:
    """A plain S3 destination. Raises InvalidArgumentException."""
    compression = given.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in _COMPRESSIONS:
        raise errors.not_built(f"The compression format {compression}")
    prefix, error_prefix = given.get("Prefix") or "", given.get("ErrorOutputPrefix") or ""
    prefixes.checked(prefix, error_prefix, ctx.now)
    told: Config = {
        "RoleARN": given["RoleARN"],
        "BucketARN": given["BucketARN"],
        "Prefix": prefix,
        "BufferingHints": _hints(given, 5, 300),
        "CompressionFormat": compression,
        "EncryptionConfiguration": given.get("EncryptionConfiguration") or {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": _logging(given),
    }
    if error_prefix:
        told["ErrorOutputPrefix"] = error_prefix
    return told


def extended(ctx: Ctx, given: Config) -> Config:
    """An extended one. Raises InvalidArgumentException; 501 for what is not built."""
    if (given.get("DataFormatConversionConfiguration") or {}).get("Enabled"):
        raise errors.not_built("Record format conversion")
    if (given.get("DynamicPartitioningConfiguration") or {}).get("Enabled"):
        raise errors.not_built("Dynamic partitioning")
    told = s3(ctx, given)
    told["S3BackupMode"] = given.get("S3BackupMode") or "Disabled"
    told["CustomTimeZone"] = given.get("CustomTimeZone") or "UTC"
    prefixes.zone(told["CustomTimeZone"])
    processing = _processing(given)
    if processing is not None:
        told["ProcessingConfiguration"] = processing
    if given.get("FileExtension"):
        told["FileExtension"] = given["FileExtension"]
    backup = given.get("S3BackupConfiguration") or given.get("S3BackupUpdate") or given.get("S3BackupDescription")
    if told["S3BackupMode"] == "Enabled":
        if not backup:
            raise errors.invalid("S3BackupConfiguration is required when S3BackupMode is Enabled.")
        told["S3BackupDescription"] = s3(ctx, backup)
    return told


def http(ctx: Ctx, given: Config) -> Config:
    """An HTTP endpoint; its access key is left out. Raises InvalidArgumentException."""
    if (given.get("SecretsManagerConfiguration") or {}).get("Enabled"):
        raise errors.not_built("An access key out of Secrets Manager")
    endpoint, request = given["EndpointConfiguration"], given.get("RequestConfiguration") or {}
    retry = (given.get("RetryOptions") or {}).get("DurationInSeconds")
    backup = given.get("S3Configuration") or given.get("S3Update") or given.get("S3DestinationDescription")
    if not backup:
        raise errors.invalid("S3Configuration is required for an HTTP endpoint.")
    told: Config = {
        "EndpointConfiguration": {"Url": endpoint["Url"], **({"Name": endpoint["Name"]} if "Name" in endpoint else {})},
        "BufferingHints": _hints(given, 5, 300),
        "CloudWatchLoggingOptions": _logging(given),
        "RequestConfiguration": {
            "ContentEncoding": request.get("ContentEncoding") or "NONE",
            "CommonAttributes": request.get("CommonAttributes") or [],
        },
        "RetryOptions": {"DurationInSeconds": 300 if retry is None else retry},
        "S3BackupMode": given.get("S3BackupMode") or "FailedDataOnly",
        "S3DestinationDescription": s3(ctx, backup),
    }
    processing = _processing(given)
    if processing is not None:
        told["ProcessingConfiguration"] = processing
    if given.get("RoleARN"):
        told["RoleARN"] = given["RoleARN"]
    return told


def destination(ctx: Ctx, req: Config, ending: str) -> tuple[str, Config]:
    """(target, description) of a request whose members end so (``Configuration``). Raises as the others."""
    for name in _ABSENT:
        if req.get(f"{name}Destination{ending}"):
            raise errors.not_built(f"The destination {name}")
    made = {
        f"S3Destination{ending}": (S3, s3),
        f"ExtendedS3Destination{ending}": (S3, extended),
        f"HttpEndpointDestination{ending}": (HTTP, http),
    }
    given = [name for name in made if req.get(name)]
    if len(given) != 1:
        raise errors.invalid(f"Exactly one destination {ending.lower()} is supported for a Firehose")
    target, read = made[given[0]]
    config = read(ctx, req[given[0]])
    for role in roles(config):
        assumable(ctx, role)
    return target, config


def roles(config: Any) -> Iterator[str]:
    """The roles of a description or a request, wherever they are."""
    if isinstance(config, dict):
        for name, value in config.items():
            if name == "RoleARN" and isinstance(value, str):
                yield value
            else:
                yield from roles(value)


def assumable(ctx: Ctx, role: str) -> None:
    """Raises InvalidArgumentException when Firehose may not act with a role."""
    try:
        ctx.assume(role, service=PRINCIPAL, session_name="firehose", external_id=ctx.account)
    except AwsError as error:
        raise errors.unable_to_assume(role) from error
