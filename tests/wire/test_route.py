"""Which operation a request is for."""

from __future__ import annotations

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.wire import host
from cloudjar.wire.message import Request
from cloudjar.wire.route import Route, detect, family

FORM = "application/x-www-form-urlencoded; charset=utf-8"


def signed(name: str) -> dict[str, str]:
    scope = f"AKIDEXAMPLE/20260115/eu-west-3/{name}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"}


def form(name: str, body: str) -> Request:
    headers = {"content-type": FORM, "host": "localhost:4566", **(signed(name) if name else {})}
    return Request("POST", "/", "", headers, body.encode())


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("sts", "Action=GetCallerIdentity&Version=2011-06-15", ("sts", "GetCallerIdentity", "query")),
        ("sts", "Version=2011-06-15&Action=GetCallerIdentity", ("sts", "GetCallerIdentity", "query")),
        ("ec2", "Action=RunInstances&Version=2016-11-15&MinCount=1", ("ec2", "RunInstances", "ec2")),
        (
            "elasticloadbalancing",
            "Action=DescribeLoadBalancers&Version=2012-06-01",
            ("elb", "DescribeLoadBalancers", "query"),
        ),
        (
            "elasticloadbalancing",
            "Action=DescribeLoadBalancers&Version=2015-12-01",
            ("elbv2", "DescribeLoadBalancers", "query"),
        ),
        ("rds", "Action=DescribeDBInstances&Version=2014-10-31", ("rds", "DescribeDBInstances", "query")),
        ("email", "Action=SendEmail&Version=2010-12-01", ("ses", "SendEmail", "query")),
        ("ses", "Action=SendEmail&Version=2010-12-01", ("ses", "SendEmail", "query")),
        ("monitoring", "Action=ListMetrics&Version=2010-08-01", ("cloudwatch", "ListMetrics", "query")),
        ("sqs", "Action=ListQueues&Version=2012-11-05", ("sqs", "ListQueues", "query")),
        ("", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", ("sts", "AssumeRoleWithWebIdentity", "query")),
    ],
)
def test_query(name: str, body: str, expected: tuple[str, str, str]) -> None:
    assert detect(form(name, body)) == Route(*expected, {})


def test_query_in_the_url() -> None:
    sent = Request(
        "GET",
        "/",
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=a%2F20260115%2Fus-east-1%2Fsts%2Faws4_request",
    )
    assert detect(sent)[:3] == ("sts", "GetCallerIdentity", "query")


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("dynamodb", "DynamoDB_20120810.PutItem", "dynamodb"),
        ("dynamodb", "DynamoDBStreams_20120810.ListStreams", "dynamodbstreams"),
        ("sqs", "AmazonSQS.SendMessage", "sqs"),
        ("ssm", "AmazonSSM.GetParameter", "ssm"),
        ("servicequotas", "ServiceQuotasV20190624.GetServiceQuota", "service-quotas"),
        ("cloudtrail", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "cloudtrail"),
        ("cloudtrail", "CloudTrail_20131101.LookupEvents", "cloudtrail"),
        ("timestream", "Timestream_20181101.WriteRecords", "timestream-write"),
        ("", "AWSCognitoIdentityProviderService.InitiateAuth", "cognito-idp"),
    ],
)
def test_json(name: str, target: str, expected: str) -> None:
    headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1", **(signed(name) if name else {})}
    assert detect(Request("POST", "/", "", headers)) == Route(expected, target.rpartition(".")[2], "json", {})


def test_cbor() -> None:
    headers = {"smithy-protocol": "rpc-v2-cbor", **signed("monitoring")}
    sent = Request("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "", headers)
    assert detect(sent) == Route("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", {})


@pytest.mark.parametrize(
    ("method", "path", "query", "extra", "operation", "labels"),
    [
        ("GET", "/", "", {}, "ListBuckets", {}),
        ("GET", "/b", "", {}, "ListObjects", {"Bucket": "b"}),
        ("GET", "/b/", "list-type=2&prefix=x", {}, "ListObjectsV2", {"Bucket": "b"}),
        ("GET", "/b", "list-type=1", {}, "ListObjects", {"Bucket": "b"}),
        ("GET", "/b", "versions", {}, "ListObjectVersions", {"Bucket": "b"}),
        ("GET", "/b", "acl=", {}, "GetBucketAcl", {"Bucket": "b"}),
        ("PUT", "/b", "", {}, "CreateBucket", {"Bucket": "b"}),
        ("PUT", "/b", "x-id=CreateBucket", {}, "CreateBucket", {"Bucket": "b"}),
        ("GET", "/b", "lifecycle", {}, "GetBucketLifecycleConfiguration", {"Bucket": "b"}),
        ("GET", "/b", "analytics&id=1", {}, "GetBucketAnalyticsConfiguration", {"Bucket": "b"}),
        ("GET", "/b", "analytics", {}, "ListBucketAnalyticsConfigurations", {"Bucket": "b"}),
        ("GET", "/b/a%20b/c%2Fd+e", "", {}, "GetObject", {"Bucket": "b", "Key": "a b/c/d+e"}),
        ("GET", "/b//slash", "", {}, "GetObject", {"Bucket": "b", "Key": "/slash"}),
        ("GET", "/b/dir/", "", {}, "GetObject", {"Bucket": "b", "Key": "dir/"}),
        ("PUT", "/b/k", "", {}, "PutObject", {"Bucket": "b", "Key": "k"}),
        ("PUT", "/b/k", "", {"x-amz-copy-source": "/b/j"}, "CopyObject", {"Bucket": "b", "Key": "k"}),
        ("PUT", "/b/k", "partNumber=1&uploadId=u", {}, "UploadPart", {"Bucket": "b", "Key": "k"}),
        (
            "PUT",
            "/b/k",
            "partNumber=1&uploadId=u",
            {"x-amz-copy-source": "/b/j"},
            "UploadPartCopy",
            {"Bucket": "b", "Key": "k"},
        ),
        ("POST", "/b/k", "uploads", {}, "CreateMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("POST", "/b/k", "uploadId=u", {}, "CompleteMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("GET", "/b/k", "uploadId=u", {}, "ListParts", {"Bucket": "b", "Key": "k"}),
        ("DELETE", "/b/k", "uploadId=u", {}, "AbortMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("DELETE", "/b/k", "versionId=v", {}, "DeleteObject", {"Bucket": "b", "Key": "k"}),
        ("HEAD", "/b/k", "", {}, "HeadObject", {"Bucket": "b", "Key": "k"}),
        ("POST", "/b", "delete", {}, "DeleteObjects", {"Bucket": "b"}),
    ],
)
def test_s3(method: str, path: str, query: str, extra: dict[str, str], operation: str, labels: dict[str, str]) -> None:
    sent = Request(method, path, query, {**signed("s3"), "host": "localhost:4566", **extra})
    assert detect(sent) == Route("s3", operation, "rest-xml", labels)


@pytest.mark.parametrize(
    "where",
    [
        "my.bucket.s3.localhost:4566",
        "my.bucket.s3.localhost.localdomain.cloud:4566",
        "my.bucket.s3.eu-west-3.localhost",
        "my.bucket.s3.amazonaws.com",
        "my.bucket.s3.eu-west-3.amazonaws.com",
        "my.bucket.s3-eu-west-3.amazonaws.com",
        "my.bucket.localhost:4566",
    ],
)
def test_a_bucket_in_the_host(where: str) -> None:
    sent = Request("GET", "/a/key", "", {**signed("s3"), "host": where})
    assert detect(sent) == Route("s3", "GetObject", "rest-xml", {"Bucket": "my.bucket", "Key": "a/key"})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("jam.s3.localhost:4566", ("s3", "jam", "", "")),
        ("s3.eu-west-3.localhost", ("s3", "", "eu-west-3", "")),
        ("jam.s3.dualstack.eu-west-3.amazonaws.com", ("s3", "jam", "eu-west-3", "")),
        ("eu-west-1.s3.eu-west-3.amazonaws.com", ("s3", "eu-west-1", "eu-west-3", "")),
        ("www.jam.example.s3-website-eu-west-3.amazonaws.com", ("s3", "www.jam.example", "eu-west-3", "website")),
        ("jam.s3-website.eu-west-3.localhost:80", ("s3", "jam", "eu-west-3", "website")),
        ("jam.s3-accelerate.amazonaws.com", ("s3", "jam", "", "accelerate")),
        ("000000000000.s3-control.eu-west-3.localhost", ("s3-control", "000000000000", "eu-west-3", "control")),
        (
            "door-000000000000.s3-accesspoint.eu-west-3.amazonaws.com",
            ("s3", "arn:aws:s3:eu-west-3:000000000000:accesspoint/door", "eu-west-3", "accesspoint"),
        ),
    ],
)
def test_hosts_of_s3(where: str, expected: tuple[str, str, str, str]) -> None:
    at = host.read(where)
    assert (at.service, at.bucket, at.region, at.kind) == expected
    assert host.region(where) == expected[2]


def test_s3_control_by_its_host() -> None:
    headers = {**signed("s3"), "host": "000000000000.s3-control.eu-west-3.localhost"}
    found = detect(Request("GET", "/v20180820/configuration/publicAccessBlock", "", headers))
    assert (found.service, found.operation) == ("s3control", "GetPublicAccessBlock")


def test_requests_that_nobody_signed_are_for_s3() -> None:
    assert detect(Request("GET", "/b/k", "", {"host": "localhost:4566"})).operation == "GetObject"
    assert detect(Request("GET", "/k", "", {"host": "b.s3.localhost"})).uri_params == {"Bucket": "b", "Key": "k"}


@pytest.mark.parametrize(
    ("method", "path", "query", "code", "status"),
    [
        ("DELETE", "/b", "acl", "MethodNotAllowed", 405),
        ("PUT", "/b", "location", "MethodNotAllowed", 405),
        ("DELETE", "/b", "location", "MethodNotAllowed", 405),
        ("DELETE", "/b", "nonsense", "NotImplemented", 501),
        ("PUT", "/b", "nonsense", "NotImplemented", 501),
        ("PATCH", "/b", "", "MethodNotAllowed", 405),
        ("GET", "/b/%ff", "", "InvalidURI", 400),
    ],
)
def test_an_unknown_sub_resource_is_never_the_bucket_itself(
    method: str, path: str, query: str, code: str, status: int
) -> None:
    with pytest.raises(AwsError) as caught:
        detect(Request(method, path, query, {**signed("s3"), "host": "localhost"}))
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("name", "method", "path", "expected"),
    [
        ("lambda", "POST", "/2015-03-31/functions/f/invocations", ("lambda", "Invoke", {"FunctionName": "f"})),
        ("es", "POST", "/2021-01-01/opensearch/domain", ("opensearch", "CreateDomain", {})),
        ("es", "POST", "/2015-01-01/es/domain", ("es", "CreateElasticsearchDomain", {})),
        ("apigateway", "GET", "/restapis/r/resources", ("apigateway", "GetResources", {"restapi_id": "r"})),
        ("apigateway", "GET", "/v2/apis", ("apigatewayv2", "GetApis", {})),
        ("ses", "POST", "/v2/email/outbound-emails", ("sesv2", "SendEmail", {})),
        ("route53", "GET", "/2013-04-01/hostedzone/Z1/rrset", ("route53", "ListResourceRecordSets", {"Id": "Z1"})),
        (
            "workspaces-web",
            "GET",
            "/portals/arn%3Aaws%3Ax/identityProviders",
            ("workspaces-web", "ListIdentityProviders", {"portalArn": "arn:aws:x"}),
        ),
    ],
)
def test_rest(name: str, method: str, path: str, expected: tuple[str, str, dict[str, str]]) -> None:
    found = detect(Request(method, path, "", {**signed(name), "host": "localhost:4566"}))
    assert (found.service, found.operation, found.uri_params) == expected


@pytest.mark.parametrize(
    ("request_", "code", "status"),
    [
        (form("sts", "Action=Nonsense&Version=2011-06-15"), "InvalidAction", 400),
        (form("ec2", "Action=Nonsense&Version=2016-11-15"), "InvalidAction", 400),
        (form("sts", "Version=2011-06-15"), "MissingAction", 400),
        (form("sts", "Action=%ff"), "MalformedInput", 400),
        (
            Request("POST", "/", "", {"x-amz-target": "DynamoDB_20120810.Nonsense", **signed("dynamodb")}),
            "UnknownOperationException",
            400,
        ),
        (
            Request("POST", "/", "", {"x-amz-target": "Nonsense", **signed("dynamodb")}),
            "UnknownOperationException",
            400,
        ),
        (Request("POST", "/", "", signed("dynamodb")), "UnknownOperationException", 400),
        (Request("GET", "/nonsense", "", signed("lambda")), "UnknownOperationException", 404),
        (
            Request("POST", "/service/X/operation/Y", "", {"smithy-protocol": "rpc-v2-cbor"}),
            "UnknownOperationException",
            400,
        ),
    ],
)
def test_no_such_operation(request_: Request, code: str, status: int) -> None:
    with pytest.raises(AwsError) as caught:
        detect(request_)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ec2.eu-west-3.amazonaws.com", "ec2"),
        ("api.ecr.us-east-1.amazonaws.com", "api.ecr"),
        ("sts.localhost:4566", "sts"),
        ("s3.localhost", "s3"),
        ("123456789012.s3-control.us-east-1.amazonaws.com", "s3-control"),
        ("localhost:4566", ""),
        ("127.0.0.1:4566", ""),
        ("[::1]:4566", ""),
        ("example.com", ""),
        ("", ""),
    ],
)
def test_what_a_host_says(name: str, expected: str) -> None:
    assert host.read(name).service == expected


@pytest.mark.parametrize(
    ("request_", "name", "protocol"),
    [
        (form("ec2", "Action=Nonsense&Version=2016-11-15"), "ec2", "ec2"),
        (form("iam", "Action=Nonsense"), "iam", "query"),
        (form("", "Action=Nonsense"), None, "query"),
        (Request("PATCH", "/b", "", signed("s3")), "s3", "rest-xml"),
        (Request("PATCH", "/b"), "s3", "rest-xml"),
        (Request("GET", "/nonsense", "", signed("lambda")), "lambda", "rest-json"),
        (Request("POST", "/", "", {"x-amz-target": "X.Y", **signed("dynamodb")}), "dynamodb", "json"),
        (Request("POST", "/", "", {"x-amz-target": "X.Y"}), None, "json"),
        (Request("POST", "/service/X/operation/Y", "", {"smithy-protocol": "rpc-v2-cbor"}), None, "smithy-rpc-v2-cbor"),
        (Request("POST", "/", "", signed("dynamodb")), "dynamodb", "json"),
    ],
)
def test_whose_words_to_refuse_in(request_: Request, name: str | None, protocol: str) -> None:
    model, spoken = family(request_)
    assert (model and model.name, spoken) == (name, protocol)
