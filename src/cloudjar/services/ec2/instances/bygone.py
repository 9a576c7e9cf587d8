"""What instances of old could have and none here has: bundles, conversions, product codes, Elastic Graphics.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_BundleInstance.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.base.errors import AwsError
from cloudjar.kit.context import Ctx
from cloudjar.kit.operation import op
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.lookup import by_path, narrow, need

_BUNDLES = by_path(
    {
        "bundle-id": "BundleId",
        "error-code": "BundleTaskError.Code",
        "error-message": "BundleTaskError.Message",
        "instance-id": "InstanceId",
        "progress": "Progress",
        "s3-bucket": "Storage.S3.Bucket",
        "s3-prefix": "Storage.S3.Prefix",
        "start-time": "StartTime",
        "state": "State",
        "update-time": "UpdateTime",
    }
)
_GRAPHICS = by_path(
    {
        "availability-zone": "AvailabilityZone",
        "elastic-gpu-health": "ElasticGpuHealth.Status",
        "elastic-gpu-state": "ElasticGpuState",
        "elastic-gpu-type": "ElasticGpuType",
        "instance-id": "InstanceId",
    }
)


@op("BundleInstance")
def bundle_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """Every root volume here is EBS's, and no instance runs Windows: none can be bundled."""
    need(ctx, Instance, req["InstanceId"])
    raise AwsError(
        "InvalidInstanceType",
        "The specified instance does not support bundling. "
        "You can only bundle instance store-backed Windows instances.",
    )


@op("DescribeBundleTasks")
def describe_bundle_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None; one that is named is not there."""
    for key in req.get("BundleIds") or ():
        raise _no_bundle(key)
    return {"BundleTasks": narrow(req, _BUNDLES, ())}


@op("CancelBundleTask")
def cancel_bundle_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is none to cancel."""
    raise _no_bundle(req["BundleId"])


def _no_bundle(key: str) -> AwsError:
    return AwsError("InvalidBundleID.NotFound", f"Bundle ID '{key}' does not exist")


@op("DescribeConversionTasks")
def describe_conversion_tasks(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: nothing is imported by them (`ImportImage` and `ImportSnapshot` have tasks of their own)."""
    for key in req.get("ConversionTaskIds") or ():
        raise _no_conversion(key)
    return {"ConversionTasks": []}


@op("CancelConversionTask")
def cancel_conversion_task(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """There is none to cancel."""
    raise _no_conversion(req["ConversionTaskId"])


def _no_conversion(key: str) -> AwsError:
    return AwsError("InvalidConversionTaskId", f"Invalid conversion task id {key}")


@op("ConfirmProductInstance")
def confirm_product_instance(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """No image here has a product code, so no instance does."""
    need(ctx, Instance, req["InstanceId"])
    return {"Return": False}


@op("DescribeElasticGpus")
def describe_elastic_gpus(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """None: AWS has ended Elastic Graphics."""
    for key in req.get("ElasticGpuIds") or ():
        raise AwsError("InvalidElasticGpuID.NotFound", f"The elasticGpu ID '{key}' does not exist")
    return {"ElasticGpuSet": narrow(req, _GRAPHICS, ())}
