"""Every filter that AWS's documentation names is understood by each operation of EC2 that is built, finds what has the
value, and nothing else; a filter that nobody knows is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.jar import TestJar, running
from tests.laws import scenes_links
from tests.laws.built import REGISTRY
from tests.laws.seeds_launch_templates import templates
from tests.laws.seeds_market import market
from tests.laws.seeds_network import edges
from tests.laws.seeds_transit import transits

NOTHING = "nothing-is-called-this"
RETIRED = {"DescribeClassicLinkInstances", "DescribeVpcClassicLink", "DescribeVpcClassicLinkDnsSupport"}
"""EC2-Classic is no more: the question is refused."""
ELSEWHERE = {("DescribeInstanceImageMetadata", "owner-id")}
"""Filters that are called like a member and mean another: the image's owner, not the instance's."""
BESIDE = {"DescribeLaunchTemplateVersions": {"Versions": ["$Latest"]}}
"""What has to be asked for beside the filters."""
UNKNOWN = re.compile(r"^The filter '.*' is invalid$")
_NAMED = re.compile(r"<li>\s*<p>\s*<code>([A-Za-z0-9.:-]+)(?:&lt;key&gt;)?</code>")
_NESTED = re.compile(r"(<li>(?:(?!</?ul>|<li>).)*)<ul>(?:(?!</?ul>).)*</ul>", re.DOTALL)
"""The list of what a filter's values may be, inside the list of filters."""
_ALSO = re.compile(r"also use ((?:(?:, )?(?:or |and )?<code>[A-Za-z0-9.-]+</code>)+) as the filter name")
_CODE = re.compile(r"<code>([^<]+)</code>")


class Asked(NamedTuple):
    """An operation with filters, the member they are in, and their names by the documentation."""

    operation: str
    member: str
    names: tuple[str, ...]


def documented() -> Iterator[Asked]:
    """Those that can be asked without naming anything."""
    model = botocore.session.get_session().get_service_model("ec2")
    for built in REGISTRY.operations("ec2"):
        shape = model.operation_model(built.name).input_shape
        if shape is None or set(shape.required_members) - {"Filters"} or built.name in RETIRED:
            continue
        member = next((m for m in ("Filters", "Filter") if m in shape.members), "")
        if not member or shape.members[member].type_name != "list":
            continue
        text = _NESTED.sub(r"\1", shape.members[member].documentation)
        names = [*_NAMED.findall(text), *(n for group in _ALSO.findall(text) for n in _CODE.findall(group))]
        if names:
            yield Asked(built.name, member, tuple(dict.fromkeys(map(_askable, names))))


def _askable(name: str) -> str:
    return "tag:Name" if name in ("tag", "tag:") else name


ASKED = sorted(documented())


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """EC2's client of a jar with several of most things."""
    with running(tmp_path_factory.mktemp("filters")) as jar:
        quotas = jar.client("service-quotas")
        for service, quota, value in (("vpc", "L-F678F1CE", 50), ("ec2", "L-0263D0A3", 20), ("ec2", "L-1216C47A", 64)):
            quotas.request_service_quota_increase(ServiceCode=service, QuotaCode=quota, DesiredValue=value)
        jar.advance(minutes=10)
        ec2 = jar.client("ec2")
        edges(ec2)
        templates(ec2)
        market(jar)
        transits(jar)
        scenes_links.many(jar)
        _machines(jar, ec2)
        yield ec2


def _machines(jar: TestJar, ec2: Any) -> None:
    """Machines, their volumes, snapshots and addresses, and what was excluded from being blocked."""
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
    ran = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2)["Instances"]
    ec2.create_tags(Resources=[ran[0]["InstanceId"]], Tags=[{"Key": "Name", "Value": "first"}])
    ec2.create_vpc_block_public_access_exclusion(VpcId=ran[0]["VpcId"], InternetGatewayExclusionMode="allow-egress")
    jar.settle()
    [volume] = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [ran[0]["InstanceId"]]}])[
        "Volumes"]  # fmt: skip
    ec2.create_snapshot(VolumeId=volume["VolumeId"])
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=address, InstanceId=ran[1]["InstanceId"])
    ec2.create_key_pair(KeyName="k")
    ec2.create_placement_group(GroupName="near", Strategy="cluster")
    jar.settle()


def ask(ec2: Any, one: Asked, name: str, value: str) -> list[Any] | str:
    """What is found, or the refusal."""
    try:
        return told(ec2, one, **{one.member: [{"Name": name, "Values": [value]}]})[0]
    except ClientError as error:
        return str(error.response["Error"]["Message"])


def told(ec2: Any, one: Asked, **more: Any) -> tuple[list[Any], bool]:
    """The things that an answer tells of, and whether they are all."""
    answer = getattr(ec2, xform_name(one.operation))(**BESIDE.get(one.operation, {}), **more)
    lists = [items for items in answer.values() if isinstance(items, list)]
    return [item for items in lists for item in items if isinstance(item, dict)], "NextToken" not in answer


@pytest.mark.parametrize("one", ASKED, ids=lambda one: one.operation)
def test_documented_filters_are_understood(seeded: Any, one: Asked) -> None:
    said = {name: ask(seeded, one, name, NOTHING) for name in one.names}
    unknown = {name for name, found in said.items() if isinstance(found, str) and UNKNOWN.match(found)}
    assert unknown == set()
    assert {name for name, found in said.items() if isinstance(found, list) and found} == set()
    refused = ask(seeded, one, "colour", "red")
    assert isinstance(refused, str), "a filter that nobody knows was ignored"


def _values(item: Any, words: list[str]) -> Iterator[Any]:
    """What stands in an answer under a filter's name: ``attachment.instance-id`` is Attachments[].InstanceId."""
    if isinstance(item, list):
        for one in item:
            yield from _values(one, words)
    elif not words:
        yield item
    elif isinstance(item, dict):
        wanted = words[0].replace("-", "").lower()
        for key, value in item.items():
            if key.lower() in (wanted, f"{wanted}s", f"{wanted}set"):
                yield from _values(value, words[1:])


@pytest.mark.parametrize("one", ASKED, ids=lambda one: one.operation)
def test_a_filter_finds_what_has_the_value_and_nothing_else(seeded: Any, one: Asked) -> None:
    """Of filters that are called like a member of the answer, as far as there is any with a plain value."""
    items, whole = told(seeded, one)
    items = items[:300]
    wrong: dict[str, Any] = {}
    for name in one.names:
        some = next((value for item in items for value in _plain(item, name)), None)
        if some is None or (one.operation, name) in ELSEWHERE or any(c in some for c in "*?\\"):
            continue
        found = ask(seeded, one, name, some)
        expected = sum(some in _plain(item, name) for item in items)
        everything = whole and len(items) < 300
        if isinstance(found, str):
            wrong[name] = (some, found)
        elif len(found) != expected if everything else not found:
            wrong[name] = (some, expected, len(found))
        elif not all(some in _plain(item, name) for item in found):
            wrong[name] = (some, "and others")
    assert wrong == {}


def _plain(item: Any, name: str) -> list[str]:
    values = _values(item, name.split("."))
    return [str(v).lower() if isinstance(v, bool) else str(v) for v in values if isinstance(v, (str, int, bool))]
