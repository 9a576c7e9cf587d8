"""Where an AMI comes from, and who of the account's own refers to it.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-ancestry.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-ami-references.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from cloudjar.kit.context import Ctx
from cloudjar.kit.db import Db
from cloudjar.kit.operation import op
from cloudjar.kit.record import arn_of
from cloudjar.services.ec2 import errors
from cloudjar.services.ec2.images.catalogue import Bootable, find_image, need_image
from cloudjar.services.ec2.instances.records import Instance
from cloudjar.services.ec2.launch_templates.records import LaunchTemplate, LaunchTemplateVersion
from cloudjar.services.ec2.lookup import is_id

_DEPTH = 10
_DEEPEST = 10_000
_STATES = ("pending", "running", "shutting-down", "terminated", "stopping", "stopped")
_OPTIONS = {"ec2:Instance": "state-name", "ec2:LaunchTemplate": "version-depth"}
_TYPES = ("ec2:Instance", "ec2:LaunchTemplate", "ssm:Parameter", "imagebuilder:ImageRecipe",
          "imagebuilder:ContainerRecipe")  # fmt: skip
View = dict[str, Any]


@op("GetImageAncestry")
def get_image_ancestry(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """An image, what it was made of, and so on; as far as the caller may know of it."""
    chain: list[View] = []
    image: Bootable | None = need_image(ctx, req["ImageId"])
    region, seen = ctx.region, set()
    while image is not None and image.id not in seen:
        seen.add(image.id)
        parent = image.own.source_image_id if image.own is not None else ""
        home = (image.own.source_image_region if image.own is not None else "") or region
        chain.append(
            {
                "CreationDate": _created(image),
                "ImageId": image.id,
                "ImageOwnerAlias": image.facts.get("ImageOwnerAlias"),
                "SourceImageId": parent or None,
                "SourceImageRegion": home if parent else None,
            }
        )
        region = home
        image = find_image(ctx, parent, home) if parent else None
    return {"ImageAncestryEntries": chain}


def _created(image: Bootable) -> datetime:
    if image.own is not None:
        return image.own.created
    return datetime.fromisoformat(str(image.facts["CreationDate"]).replace("Z", "+00:00"))


@op("DescribeImageReferences")
def describe_image_references(ctx: Ctx, req: dict[str, Any]) -> dict[str, Any]:
    """The instances, launch templates and parameters that name images; Image Builder is absent, so it names none."""
    wanted = set(req["ImageIds"])
    for key in wanted:
        if not is_id("ami", key):
            raise errors.malformed("InvalidAMIID.Malformed", key, "ami")
    found: list[View] = []
    for kind, options in _asked(req).items():
        found += _references(ctx, kind, options, wanted)
    return {"ImageReferences": found}


def _asked(req: Mapping[str, Any]) -> dict[str, list[str]]:
    """Resource types and the values of their option; a request for all of them has none."""
    types = req.get("ResourceTypes") or []
    if req.get("IncludeAllResourceTypes"):
        if types:
            raise errors.combination("IncludeAllResourceTypes and ResourceTypes cannot be used together.")
        return {kind: [] for kind in _TYPES}
    if not types:
        raise errors.missing("Either IncludeAllResourceTypes or ResourceTypes must be specified.")
    return {one["ResourceType"]: option_values(one) for one in types}


def option_values(asked: Mapping[str, Any]) -> list[str]:
    """The values of a resource type's only option. Raises InvalidParameterValue for what is none."""
    kind, values = asked["ResourceType"], []
    for option in asked.get("ResourceTypeOptions") or ():
        if option.get("OptionName") != _OPTIONS.get(kind):
            raise errors.invalid_value(f"The option {option.get('OptionName')} is not valid for {kind}.")
        values += list(option.get("OptionValues") or ())
    good = _good_state if kind == "ec2:Instance" else _good_depth
    for value in values:
        if not good(value):
            raise errors.invalid_value(f"The value {value} is not valid for {_OPTIONS[kind]}.")
    return values


def _good_state(value: str) -> bool:
    return value in _STATES


def _good_depth(value: str) -> bool:
    return value.isascii() and value.isdigit() and 1 <= int(value) <= _DEEPEST


def _references(ctx: Ctx, kind: str, options: list[str], wanted: Collection[str]) -> Iterator[View]:
    if kind == "ec2:Instance":
        for vm in ctx.db[Instance].all():
            if vm.image_id in wanted and (not options or vm.state in options):
                yield {"ImageId": vm.image_id, "ResourceType": kind, "Arn": arn_of(vm)}
    elif kind == "ec2:LaunchTemplate":
        for template in ctx.db[LaunchTemplate].all():
            for key in sorted(named_by(ctx.db, template, int(options[0]) if options else _DEPTH) & set(wanted)):
                yield {"ImageId": key, "ResourceType": kind, "Arn": arn_of(template)}
    elif kind == "ssm:Parameter":
        yield from _parameters(ctx, wanted)


def named_by(db: Db, template: LaunchTemplate, depth: int) -> set[str]:
    """The images of a launch template's newest versions."""
    versions = sorted(db[LaunchTemplateVersion].all(template_id=template.id), key=lambda one: -one.number)
    return {str(one.data["ImageId"]) for one in versions[:depth] if one.data.get("ImageId")}


def _parameters(ctx: Ctx, wanted: Collection[str]) -> Iterator[View]:
    """Parameters of the type ``aws:ec2:image``, as the caller may read them."""
    asked: dict[str, Any] = {"ParameterFilters": [{"Key": "DataType", "Values": ["aws:ec2:image"]}], "MaxResults": 50}
    while True:
        page = ctx.call("ssm", "DescribeParameters", asked, via="ec2.amazonaws.com")
        names = [one["Name"] for one in page.get("Parameters") or ()]
        for at in range(0, len(names), 10):
            read = ctx.call("ssm", "GetParameters", {"Names": names[at:at + 10]}, via="ec2.amazonaws.com")
            for one in read["Parameters"]:
                if one["Value"] in wanted:
                    yield {"ImageId": one["Value"], "ResourceType": "ssm:Parameter", "Arn": one["ARN"]}
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]
