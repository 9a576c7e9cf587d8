"""Every paginator, cut as small as AWS allows, gives in pieces what it gives whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore import xform_name

from cloudjar.spec.models import OperationModel
from tests.jar import TestJar, running
from tests.laws import (
    balancing,
    scenes_advisor,
    scenes_applications,
    scenes_cloudwatch,
    scenes_costs,
    scenes_databases,
    scenes_ec2,
    scenes_fis,
    scenes_links,
    scenes_logs,
    scenes_mail,
    scenes_money,
    scenes_pipes,
    scenes_queues,
    scenes_s3,
    scenes_scheduler,
    scenes_streams,
)
from tests.laws.built import operations
from tests.laws.seeds_analyzer import analyzers
from tests.laws.seeds_identity import identity
from tests.laws.seeds_kms import keys
from tests.laws.seeds_launch_templates import templates
from tests.laws.seeds_market import market
from tests.laws.seeds_network import edges
from tests.laws.seeds_organizations import organization
from tests.laws.seeds_scaling import groups
from tests.laws.seeds_secrets import secrets
from tests.laws.seeds_transit import transits

MANY = 7
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "000000000000"}, "Action": "sts:AssumeRole"}],
    }
)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestJar, dict[str, Any]]]:
    """A jar with several of everything, and the parameters that operations need to be asked about them."""
    with running(tmp_path_factory.mktemp("pages")) as jar:
        quotas = jar.client("service-quotas")
        for service, code, value in (("vpc", "L-F678F1CE", 50), ("ec2", "L-0263D0A3", 20), ("ec2", "L-1216C47A", 64)):
            quotas.request_service_quota_increase(ServiceCode=service, QuotaCode=code, DesiredValue=value)
        jar.advance(minutes=10)
        known = {**_people(jar.client("iam")), **_network(jar.client("ec2")), **organization(jar), **keys(jar)}
        known.update(identity(jar))
        known.update(templates(jar.client("ec2")))
        known.update(edges(jar.client("ec2")))
        known.update(balancing.many(jar))
        known.update(secrets(jar))
        known.update(analyzers(jar))
        known.update(groups(jar))
        known.update(market(jar))
        known.update(scenes_logs.many(jar.client("logs")))
        known.update(scenes_cloudwatch.many(jar))
        known.update(scenes_applications.many(jar))
        known.update(scenes_costs.many(jar))
        known.update(scenes_advisor.many(jar))
        known.update(transits(jar))
        known.update(scenes_ec2.many(jar))
        known.update(scenes_links.many(jar))
        known.update(scenes_fis.many(jar))
        known.update(scenes_queues.many(jar))
        known.update(scenes_s3.many(jar, MANY))
        known.update(scenes_streams.many(jar))
        known.update(scenes_databases.many(jar))
        known.update(scenes_mail.many(jar))
        known.update(scenes_pipes.many(jar))
        known.update(scenes_money.many(jar))
        known.update(scenes_scheduler.many(jar))
        jar.settle()
        known["ListDocumentVersions"] = {"Name": "AWS-RunShellScript"}
        known["DescribeSessions"] = {"State": "History"}
        yield jar, {**known, "ServiceCode": "vpc", "QuotaCode": "L-F678F1CE", "Path": "/aws/service"}


def _people(iam: Any) -> dict[str, Any]:
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(MANY)]
    arn = ""
    for n in range(MANY):
        iam.create_user(UserName=f"u{n}", Tags=tags)
        iam.create_group(GroupName=f"g{n}")
        iam.create_role(RoleName=f"r{n}", AssumeRolePolicyDocument=TRUST, Tags=tags)
        iam.create_instance_profile(InstanceProfileName=f"p{n}", Tags=tags)
        iam.put_user_policy(UserName="u0", PolicyName=f"i{n}", PolicyDocument=ALLOW)
        iam.put_group_policy(GroupName="g0", PolicyName=f"i{n}", PolicyDocument=ALLOW)
        iam.put_role_policy(RoleName="r0", PolicyName=f"i{n}", PolicyDocument=ALLOW)
        arn = iam.create_policy(PolicyName=f"m{n}", PolicyDocument=ALLOW, Tags=tags)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="u0", PolicyArn=arn)
        iam.attach_group_policy(GroupName="g0", PolicyArn=arn)
        iam.attach_role_policy(RoleName="r0", PolicyArn=arn)
        iam.add_user_to_group(GroupName="g0", UserName=f"u{n}")
        iam.add_user_to_group(GroupName=f"g{n}", UserName="u0")
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)
    for n in range(MANY):
        iam.add_role_to_instance_profile(InstanceProfileName=f"p{n}", RoleName="r0")
        iam.attach_user_policy(UserName=f"u{n}", PolicyArn=arn)
    for _ in range(2):
        iam.create_access_key(UserName="u0")
    return {"UserName": "u0", "GroupName": "g0", "RoleName": "r0", "InstanceProfileName": "p0", "PolicyArn": arn}


def _network(ec2: Any) -> dict[str, Any]:
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    for n in range(MANY):
        ec2.create_route_table(VpcId=vpc)
        ec2.create_network_acl(VpcId=vpc)
        ec2.create_security_group(GroupName=f"g{n}", Description="d", VpcId=vpc)
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24")["Subnet"]["SubnetId"]
        ec2.create_network_interface(SubnetId=subnet)
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": f"k{n}", "Value": "v"}])
    for _ in range(3):
        ec2.create_internet_gateway()
        ec2.create_vpc(CidrBlock="10.2.0.0/16")
    for _ in range(MANY):
        image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"][0]["ImageId"]
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, SubnetId=subnet)
    return {"VpcId": vpc}


def paged() -> list[tuple[str, str, OperationModel]]:
    """(service, operation, model) of every built operation that clients may ask for in pages."""
    return [
        (service, operation.name, model)
        for service, operation, model in operations()
        if model.paginator and model.paginator.limit_key and model.input and operation.name not in RETIRED | ONE_THING
    ]


TOLD_TWICE = {"ListStreams"}
"""Pages that tell the same things in several lists."""
ONE_THING = {"DescribeBudgetPerformanceHistory", "DownloadDBLogFilePortion"}
"""What a page holds is one thing (a text), not a list."""
RETIRED = {
    "DescribeVpcClassicLinkDnsSupport", "DescribeVpcClassicLink", "DescribeClassicLinkInstances",
    "ListServiceQuotaIncreaseRequestsInTemplate", "GetAssociatedIpv6PoolCidrs", "DescribeByoipCidrs",
}  # fmt: skip
"""EC2-Classic is no more, templates of quotas are in us-east-1 alone, nobody has a pool of addresses of his own: the
question is refused (or, for `DescribeByoipCidrs`, has to say how large its one, empty page is)."""


def whole_and_pieces(client: Any, model: OperationModel, params: dict[str, Any]) -> tuple[list[Any], list[Any], int]:
    """All results at once, all results page by page, and the number of pages."""
    traits = model.paginator
    assert traits is not None
    assert model.input is not None
    call, keys = getattr(client, xform_name(model.name)), traits.result_keys
    pages = client.get_paginator(xform_name(model.name))
    at_once = [item for page in pages.paginate(**params) for item in _items(page, keys)]
    limit = model.input.members[traits.limit_key]
    size = min(max(int(limit.min or 1), len(at_once) // 5), int(limit.max or 1000))
    pieces, number, more = [], 0, dict(params)
    if len(traits.output_token) > 1 or {"|", "["} & set(traits.output_token[0]):  # S3's: botocore knows how to go on
        cut = list(pages.paginate(**params, PaginationConfig={"PageSize": size}))
        assert all(sum(1 for _ in _items(page, keys)) <= size for page in cut)
        return at_once, [item for page in cut for item in _items(page, keys)], len(cut)
    while True:
        page = call(**more, **{traits.limit_key: size})
        assert sum(1 for _ in _items(page, keys)) <= size * (len(keys) if model.name in TOLD_TWICE else 1)
        pieces += _items(page, keys)
        number += 1
        token = _at(page, traits.output_token[0])
        if model.name == "ListParts":  # the last page tells its last part too
            token = token if page["IsTruncated"] else None
        elif traits.more_results:
            assert bool(page[traits.more_results]) is bool(token)
        if not token:
            return at_once, pieces, number
        more[traits.input_token[0]] = token


def _items(page: dict[str, Any], keys: tuple[str, ...]) -> list[Any]:
    return [(key, item) for key in keys for item in _at(page, key) or ()]


def _at(page: dict[str, Any], path: str) -> Any:
    found: Any = page
    for name in path.split("."):
        found = (found or {}).get(name)
    return found


def test_pieces_make_the_whole(seeded: tuple[TestJar, dict[str, Any]]) -> None:
    jar, known = seeded
    several = set()
    for service, operation, model in paged():
        assert model.input is not None
        needed = {*model.input.required, "UserName", "RetiringPrincipal"}
        own = known.get(operation, {})
        params = {n: known[n] for n in model.input.members if n in needed and n not in own} | own
        whole, pieces, number = whole_and_pieces(jar.client(service), model, params)
        if operation == "LookupEvents":  # the calls of the first paging are in the second
            pieces = [item for item in pieces if item in whole]
        if operation == "ListBuckets":  # a page tells more of each than the whole does
            whole, pieces = [item["Name"] for _, item in whole], [item["Name"] for _, item in pieces]
        assert _comparable(pieces) == _comparable(whole), (service, operation)
        if number > 1:
            several.add(operation)
    assert len(several) > 25, sorted(several)


def _comparable(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, default=str, sort_keys=True) for item in items)


def test_a_token_of_another_operation_is_refused(seeded: tuple[TestJar, dict[str, Any]]) -> None:
    jar, _ = seeded
    iam = jar.client("iam")
    token = iam.list_users(MaxItems=1)["Marker"]
    for foreign in (token[:-2], "x", token + "A", "é"):
        with pytest.raises(iam.exceptions.ClientError):
            iam.list_groups(Marker=foreign)
    with pytest.raises(iam.exceptions.ClientError):
        iam.list_groups(Marker=token)
