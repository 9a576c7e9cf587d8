"""AWS's public parameters: found by name, ARN, version and path; held against policies under their own ARNs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudjar.spec import images
from tests.jar import TestJar

AL2023 = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
REGIONS = "/aws/service/global-infrastructure/regions"


@pytest.fixture
def ssm(steady_jar: TestJar) -> Any:
    """SSM in Paris as root."""
    return steady_jar.client("ssm")


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """(code, message) of an error answer."""
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def test_a_parameter_names_an_image_that_can_be_found(steady_jar: TestJar, ssm: Any) -> None:
    found = ssm.get_parameter(Name=AL2023)["Parameter"]
    assert found["Name"] == AL2023
    assert (found["Type"], found["DataType"], found["Version"]) == ("String", "text", 1)
    assert found["ARN"] == f"arn:aws:ssm:eu-west-3::parameter{AL2023}"
    assert found["LastModifiedDate"].year == 2026
    assert "Selector" not in found
    image = steady_jar.client("ec2").describe_images(ImageIds=[found["Value"]])["Images"][0]
    assert image["OwnerId"] == images.AMAZON


def test_each_region_has_its_own_image(steady_jar: TestJar, ssm: Any) -> None:
    elsewhere = steady_jar.client("ssm", region="us-east-1").get_parameter(Name=AL2023)["Parameter"]
    assert elsewhere["Value"] != ssm.get_parameter(Name=AL2023)["Parameter"]["Value"]
    assert elsewhere["ARN"].startswith("arn:aws:ssm:us-east-1::")


def test_a_version_is_selected(ssm: Any) -> None:
    assert ssm.get_parameter(Name=f"{AL2023}:1")["Parameter"]["Selector"] == ":1"
    with pytest.raises(ClientError) as error:
        ssm.get_parameter(Name=f"{AL2023}:7")
    code, message = refusal(error)
    assert code == "ParameterVersionNotFound"
    assert f"version 7 of {AL2023}" in message


def test_an_arn_names_it_too(ssm: Any) -> None:
    arn = f"arn:aws:ssm:eu-west-3::parameter{AL2023}"
    assert ssm.get_parameter(Name=arn)["Parameter"]["Name"] == AL2023
    with pytest.raises(ClientError) as error:
        ssm.get_parameter(Name=arn.replace("eu-west-3", "us-east-1"))
    assert refusal(error)[0] == "ParameterNotFound"


@pytest.mark.parametrize("name", ["/aws/service/nowhere", "mine", "/mine/too", "/aws/service/global-infrastructure"])
def test_what_is_not_there_is_not_found(ssm: Any, name: str) -> None:
    with pytest.raises(ClientError) as error:
        ssm.get_parameter(Name=name)
    assert refusal(error) == ("ParameterNotFound", "")


def test_of_several_the_missing_are_named(ssm: Any) -> None:
    answer = ssm.get_parameters(Names=[AL2023, "/not/there", f"{REGIONS}/eu-west-3", AL2023, f"{AL2023}:9"])
    assert [p["Name"] for p in answer["Parameters"]] == [AL2023, f"{REGIONS}/eu-west-3"]
    assert answer["InvalidParameters"] == ["/not/there", f"{AL2023}:9"]


def test_a_path_is_walked_ten_at_a_time(ssm: Any) -> None:
    first = ssm.get_parameters_by_path(Path=REGIONS)
    assert len(first["Parameters"]) == 10
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=REGIONS)
    found = [p["Value"] for page in pages for p in page["Parameters"]]
    assert {"eu-west-3", "us-east-1"} <= set(found)
    assert len(found) == len(set(found)) > 20
    below = ssm.get_parameters_by_path(Path="/aws/service/ami-amazon-linux-latest/", MaxResults=1)
    assert len(below["Parameters"]) == 1
    assert below["NextToken"]


def test_only_recursion_goes_deeper(ssm: Any) -> None:
    path = f"{REGIONS}/eu-west-3"
    shallow = {p["Name"] for p in ssm.get_parameters_by_path(Path=path)["Parameters"]}
    assert f"{path}/longName" in shallow
    assert all(name.count("/") == path.count("/") + 1 for name in shallow)
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
    assert f"{path}/services/ec2/endpoint" in {p["Name"] for page in pages for p in page["Parameters"]}
    assert ssm.get_parameters_by_path(Path="/mine", Recursive=True)["Parameters"] == []


def test_filters_of_a_path(ssm: Any) -> None:
    path = "/aws/service/ami-amazon-linux-latest"
    everything = ssm.get_parameters_by_path(Path=path)["Parameters"]
    strings = [{"Key": "Type", "Values": ["String"]}]
    assert ssm.get_parameters_by_path(Path=path, ParameterFilters=strings)["Parameters"] == everything
    secrets = [{"Key": "Type", "Option": "BeginsWith", "Values": ["Secure"]}]
    assert ssm.get_parameters_by_path(Path=path, ParameterFilters=secrets)["Parameters"] == []
    labelled = [{"Key": "Label", "Values": ["latest"]}]
    assert ssm.get_parameters_by_path(Path=path, ParameterFilters=labelled)["Parameters"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Path": "aws/service"}, "ValidationException"),
        ({"Path": "/a", "ParameterFilters": [{"Key": "Name", "Values": ["x"]}]}, "InvalidFilterKey"),
        (
            {"Path": "/a", "ParameterFilters": [{"Key": "Type", "Option": "Near", "Values": ["x"]}]},
            "InvalidFilterOption",
        ),
        ({"Path": "/a", "ParameterFilters": [{"Key": "Type"}]}, "InvalidFilterValue"),
    ],
)
def test_a_path_that_cannot_be(ssm: Any, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        ssm.get_parameters_by_path(**given)
    assert refusal(error)[0] == code


def test_public_parameters_are_not_listed_among_ones_own(ssm: Any) -> None:
    assert ssm.describe_parameters()["Parameters"] == []
    with pytest.raises(ClientError) as error:
        ssm.describe_parameters(
            Filters=[{"Key": "Name", "Values": ["a"]}], ParameterFilters=[{"Key": "Name", "Values": ["a"]}]
        )
    assert refusal(error)[0] == "ValidationException"


def reader(jar: TestJar, statement: dict[str, Any]) -> Any:
    """SSM as a user who may do what the statement says."""
    iam = jar.client("iam")
    iam.create_user(UserName="reader")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
    iam.put_user_policy(UserName="reader", PolicyName="may", PolicyDocument=document)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    return jar.client("ssm", key=key["AccessKeyId"], secret=key["SecretAccessKey"])


def test_policies_name_public_parameters_without_an_account(steady_jar: TestJar) -> None:
    ssm = reader(
        steady_jar,
        {
            "Action": "ssm:GetParameter*",
            "Resource": "arn:aws:ssm:*::parameter/aws/service/ami-amazon-linux-latest/*",
        },
    )
    assert ssm.get_parameter(Name=AL2023)["Parameter"]["Value"].startswith("ami-")
    assert ssm.get_parameter(Name=f"{AL2023}:1")["Parameter"]["Version"] == 1
    assert ssm.get_parameter(Name=f"arn:aws:ssm:eu-west-3::parameter{AL2023}")["Parameter"]["Name"] == AL2023
    for name in (f"{REGIONS}/eu-west-3", "/mine"):
        with pytest.raises(ClientError) as error:
            ssm.get_parameter(Name=name)
        assert refusal(error)[0] == "AccessDeniedException"
    with pytest.raises(ClientError) as error:
        ssm.get_parameters(Names=[AL2023, f"{REGIONS}/eu-west-3"])
    assert f"resource: arn:aws:ssm:eu-west-3::parameter{REGIONS}/eu-west-3" in refusal(error)[1]


def test_recursion_can_be_forbidden(steady_jar: TestJar) -> None:
    ssm = reader(
        steady_jar,
        {
            "Action": "ssm:GetParametersByPath",
            "Resource": "*",
            "Condition": {"Bool": {"ssm:Recursive": "false"}},
        },
    )
    assert ssm.get_parameters_by_path(Path=REGIONS)["Parameters"]
    with pytest.raises(ClientError) as error:
        ssm.get_parameters_by_path(Path=REGIONS, Recursive=True)
    assert refusal(error)[0] == "AccessDeniedException"
