"""What a group asks EC2 for: parameters of RunInstances from a launch configuration or template, and where to.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#arch-AutoScalingMultiAZ
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec.structs import replace

from cloudjar.base import ids
from cloudjar.base.caller import Caller
from cloudjar.kit.context import Ctx
from cloudjar.services.autoscaling import errors, mixing
from cloudjar.services.autoscaling.records import Group, LaunchConfiguration, Member
from cloudjar.spec import prices, regions, shares

NAME_TAG = "aws:autoscaling:groupName"
_COPIED = ("ImageId", "KeyName", "UserData", "InstanceType", "EbsOptimized", "MetadataOptions")


class Place(NamedTuple):
    """Where an instance is launched; without a subnet it is the zone's default one."""

    zone: str
    subnet: str = ""


class Source(NamedTuple):
    """What an instance is launched from, as its member record tells it; `params` are RunInstances'."""

    params: dict[str, Any]
    configuration: str = ""
    template_id: str = ""
    template_name: str = ""
    template_version: str = ""
    made: datetime | None = None
    weight: int = 1
    weighed: bool = False
    market: str = mixing.ON_DEMAND


def places(ctx: Ctx, group: Group) -> list[Place]:
    """Every place where the group may launch."""
    if not group.subnets:
        return [Place(zone) for zone in group.zones]
    found = [(ctx.find("ec2", "subnet", subnet), subnet) for subnet in group.subnets]
    return [Place(getattr(item, "zone", ""), subnet) for item, subnet in found if item is not None]


def spread(options: Sequence[Place], members: Iterable[Member]) -> list[Place]:
    """The places in the order in which to try them: the emptiest zone first, in it the emptiest subnet."""
    members = list(members)
    zones = Counter(m.zone for m in members)
    subnets = Counter(m.subnet for m in members)
    return sorted(options, key=lambda place: (zones[place.zone], subnets[place.subnet], place.zone, place.subnet))


def sources(ctx: Ctx, group: Group, held: Sequence[Member], caller: Caller) -> list[Source]:
    """What the group launches from as it is now, in the order in which to try it; raises the `AwsError` of what is
    gone."""
    if group.launch_configuration:
        item = ctx.db[LaunchConfiguration].need(group.launch_configuration)
        return [Source(params_of(ctx, item.spec), configuration=item.name, made=item.created)]
    if group.mixed is None:
        named = {"LaunchTemplateId": group.template_id, "Version": group.template_version}
        return [_of_template(ctx, named, caller)]
    on_demand = sum(m.weight for m in held if m.market == mixing.ON_DEMAND)
    bought = mixing.market(group.mixed, group.desired, on_demand)
    types = Counter(m.type for m in held if m.market == bought)
    options = mixing.ordered(group.mixed, bought, lambda kind: _price(ctx, group, kind, bought), types)
    return [_of_option(ctx, group.mixed, option, bought, caller) for option in options]


def _of_template(ctx: Ctx, named: Mapping[str, Any], caller: Caller) -> Source:
    version = named.get("Version") or "$Default"
    asked = {"LaunchTemplateId": named["LaunchTemplateId"], "Versions": [version]}
    found = ctx.call("ec2", "DescribeLaunchTemplateVersions", asked, caller=caller)["LaunchTemplateVersions"]
    if not found:
        raise errors.invalid(f"The specified launch template version {version} does not exist.")
    number = str(found[0]["VersionNumber"])
    return Source(
        {"LaunchTemplate": {"LaunchTemplateId": named["LaunchTemplateId"], "Version": number}},
        template_id=named["LaunchTemplateId"],
        template_name=found[0]["LaunchTemplateName"],
        template_version=number,
        made=found[0].get("CreateTime"),
    )


def _of_option(
    ctx: Ctx, policy: Mapping[str, Any], option: mixing.Option, bought: str, caller: Caller
) -> Source:
    found = _of_template(ctx, option.template, caller)
    params = dict(found.params)
    if option.type:
        params["InstanceType"] = option.type
    if option.image:
        params["ImageId"] = option.image
    if bought == mixing.SPOT:
        most = policy["InstancesDistribution"].get("SpotMaxPrice")
        one_time: dict[str, Any] = {"SpotInstanceType": "one-time"}
        terms = {**one_time, "MaxPrice": most} if most else one_time
        params["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": terms}
    overrides = policy["LaunchTemplate"].get("Overrides") or [{}]
    weighed = bool(overrides[0].get("WeightedCapacity"))
    return found._replace(params=params, weight=option.weight, weighed=weighed, market=bought)


def _price(ctx: Ctx, group: Group, kind: str, bought: str) -> float:
    """Dollars for an hour of a type, on the spot market the mean over the group's zones; what has no price comes
    last."""
    try:
        if bought == mixing.ON_DEMAND:
            return float(prices.price("AmazonEC2", f"BoxUsage:{kind}", ctx.region).per_unit)
        found = [_spot_price(ctx, zone, kind) for zone in group.zones]
        return sum(found) / len(found)
    except prices.NoPrice:
        return float("inf")


def _spot_price(ctx: Ctx, zone_name: str, kind: str) -> float:
    zone = regions.zone(zone_name, ctx.account)
    operation = shares.spot_operation(zone.id if zone is not None else "")
    return float(prices.price("AmazonEC2", f"SpotUsage:{kind}", ctx.region, operation).per_unit)


def params_of(ctx: Ctx, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A launch configuration in RunInstances' words; the place, the tags and the count are still missing."""
    params = {name: spec[name] for name in _COPIED if spec.get(name) not in (None, "")}
    profile = spec.get("IamInstanceProfile")
    if profile:
        params["IamInstanceProfile"] = {"Arn" if profile.startswith("arn:") else "Name": profile}
    if spec.get("BlockDeviceMappings"):
        params["BlockDeviceMappings"] = [_disk(each) for each in spec["BlockDeviceMappings"]]
    monitored = spec.get("InstanceMonitoring") or {}
    params["Monitoring"] = {"Enabled": monitored.get("Enabled", True)}
    public = spec.get("AssociatePublicIpAddress")
    groups = list(spec.get("SecurityGroups") or ())
    if public is None:
        if groups:
            params["SecurityGroupIds"] = groups
    else:
        card: dict[str, Any] = {"DeviceIndex": 0, "AssociatePublicIpAddress": public}
        params["NetworkInterfaces"] = [{**card, "Groups": groups} if groups else card]
    return params


def _disk(given: Mapping[str, Any]) -> dict[str, Any]:
    """EC2 knows NoDevice by a text that says nothing."""
    disk = {key: value for key, value in given.items() if key != "NoDevice"}
    return {**disk, "NoDevice": ""} if given.get("NoDevice") else disk


def run(ctx: Ctx, group: Group, origin: Source, place: Place, caller: Caller) -> dict[str, Any]:
    """Launch one instance there as the group's role, with the group's tags; EC2's Instance."""
    params = {**origin.params, "MinCount": 1, "MaxCount": 1, "ClientToken": ids.uuid4()}
    if place.subnet and "NetworkInterfaces" in params:
        first, *others = params["NetworkInterfaces"]
        params["NetworkInterfaces"] = [{**first, "SubnetId": place.subnet}, *others]
    elif place.subnet:
        params["SubnetId"] = place.subnet
    else:
        params["Placement"] = {"AvailabilityZone": place.zone}
    if group.placement_group:
        params["Placement"] = {**params.get("Placement", {}), "GroupName": group.placement_group}
    tags = [{"Key": key, "Value": group.tags[key]} for key in group.propagated]
    if tags:
        params["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
    made: dict[str, Any] = ctx.call("ec2", "RunInstances", params, caller=caller)["Instances"][0]
    mark(ctx, made["InstanceId"], group.name)
    return made


def mark(ctx: Ctx, instance_id: str, group: str) -> None:
    """Give an instance the tag that names its group, or take it away ("").

    No call can: tags with this prefix are AWS's own, which is why the record itself is changed.
    """
    vm: Any = ctx.find("ec2", "instance", instance_id)
    if vm is None:
        return
    tags = {key: value for key, value in vm.tags.items() if key != NAME_TAG}
    ctx.db[type(vm)].put(replace(vm, tags={**tags, NAME_TAG: group} if group else tags))
