"""Whatever arrives is answered in AWS's words: never another exception, never a hang."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import OperationModel, service
from cloudjar.wire import cbor
from cloudjar.wire.codec import codec
from cloudjar.wire.message import Request


def operation(name: str, op: str) -> OperationModel:
    return service(name).operations[op]


def refuse(name: str, op: str, protocol: str, body: bytes, query: str = "", **headers: str) -> AwsError:
    sent = Request("POST", "/", query, {k.replace("_", "-"): v for k, v in headers.items()}, body)
    with pytest.raises(AwsError) as caught:
        codec(operation(name, op), protocol).parse(sent, {"Bucket": "b", "Key": "k", "Id": "i"})
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"TableName": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"nonsense",
        b"{} trailing",
        b'{"TableName": 1e999}',
        b"[]",
        b'"text"',
        b'{"Item": {"a": ' + b'{"M": {"b": ' * 20_000 + b"{}" + b"}}" * 20_000 + b"}}",
    ],
    ids=lambda b: repr(b[:24]),
)
def test_json_that_cannot_be_read(body: bytes) -> None:
    assert refuse("dynamodb", "PutItem", "json", body).code == "SerializationException"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"TableName": 7}', "NUMBER_VALUE cannot be converted to String"),
        (b'{"TableName": {}}', "Start of structure or map found where not expected."),
        (b'{"TableName": []}', "Start of list found where not expected"),
        (b'{"Limit": "7"}', "STRING_VALUE cannot be converted to Integer"),
        (b'{"ConsistentRead": "true"}', "STRING_VALUE cannot be converted to Boolean"),
        (b'{"Limit": 99999999999999999999999999}', "NUMBER_VALUE out of the range of a 64-bit integer"),
        (b'{"ExclusiveStartKey": {"a": {"B": "%%%"}}}', "'%%%' is not a valid base64 value"),
    ],
)
def test_json_of_the_wrong_type(body: bytes, message: str) -> None:
    error = refuse("dynamodb", "Query", "json", body)
    assert (error.code, error.message, error.status) == ("SerializationException", message, 400)


def test_json_ignores_what_it_does_not_know_and_the_last_of_two_names_counts() -> None:
    body = b'{"Nonsense": [1], "TableName": "a", "TableName": "b", "Limit": null}'
    assert codec(operation("dynamodb", "Query"), "json").parse(Request("POST", "/", "", {}, body), {}) == {
        "TableName": "b"
    }


def test_a_large_number_in_scientific_form_is_an_integer_where_one_is_due() -> None:
    read = codec(operation("dynamodb", "Query"), "json").parse
    assert read(Request("POST", "/", "", {}, b'{"Limit": 1E1}'), {}) == {"Limit": 10}


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
    + b"]><Delete>&l9;</Delete>"
)


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>",
        b"nonsense",
        b"\xff\xfe\x00",
        BOMB,
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><Delete/>',
        b"<a>" * 50_000,
        b"<Delete><Quiet>perhaps</Quiet></Delete>",
        b"<Delete><Object><Size>many</Size></Object></Delete>",
        b"<Delete>\x00</Delete>",
    ],
    ids=lambda b: repr(b[:24]),
)
def test_xml_that_cannot_be_read(body: bytes) -> None:
    error = refuse("s3", "DeleteObjects", "rest-xml", body)
    assert error.code == "MalformedXML"
    assert "not well-formed" in error.message


def test_an_argument_of_s3_that_is_no_number() -> None:
    error = refuse("s3", "ListObjectsV2", "rest-xml", b"", "list-type=2&max-keys=many")
    assert (error.code, error.status) == ("InvalidArgument", 400)
    assert error.members == {"ArgumentName": "max-keys", "ArgumentValue": "many"}


@pytest.mark.parametrize(
    "body",
    [
        b"UserName.a=b",
        b"Tags.member.x=1",
        b"Tags.member.1=plain",
        b"Tags=plain",
        b"UserName=%ff",
        b"\xff=1",
        b"UserName=a&UserName.x=b",
        b"Tags.member.99999999999999.Key=a",
        b"." * 5000 + b"=1&UserName.a=1",
    ],
    ids=repr,
)
def test_query_that_cannot_be_read(body: bytes) -> None:
    assert refuse("iam", "CreateUser", "query", b"Action=CreateUser&" + body).code == "MalformedInput"


def test_query_ignores_what_it_does_not_know() -> None:
    sent = Request("POST", "/", "", {}, b"Action=CreateUser&UserName=a&Nonsense.1.x=y&UserName=b")
    assert codec(operation("iam", "CreateUser"), "query").parse(sent, {}) == {"UserName": "a"}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"Nonsense=1", "Nonsense"),
        (b"InstanceId.1=i-1&Filter.1.Nome=x", "Filter.1.Nome"),
        (b"Filter.1.Value.member.1=x", "Filter.1.Value.member.1"),
    ],
)
def test_ec2_names_the_parameter_it_does_not_know(body: bytes, name: str) -> None:
    error = refuse("ec2", "DescribeInstances", "ec2", b"Action=DescribeInstances&Version=2016-11-15&" + body)
    if error.code == "UnknownParameter":
        assert error.message == f"The parameter {name} is not recognized"
    else:  # a list whose elements are not numbered
        assert error.code == "InvalidParameterValue"
    assert error.status == 400


def test_ec2_names_the_value_it_cannot_read() -> None:
    error = refuse("ec2", "DescribeInstances", "ec2", b"Action=DescribeInstances&MaxResults=many")
    assert (error.code, error.status) == ("InvalidParameterValue", 400)
    assert error.message.startswith("Value (many) for parameter MaxResults is invalid.")


@pytest.mark.parametrize(
    "body",
    [
        b"\xbf",
        b"\xa1\x61a",
        b"\x9f" * 5000,
        b"\x5f\x5f\x5f",
        b"\xff",
        b"\x1c",
        b"\xa1\x01\x02",
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xc1\x61a",
        b"\xa0\xa0",
        b"\x7f\x61\xff\xff",
        cbor.encode({"Namespace": 7}),
        cbor.encode({"MetricName": b"bytes"}),
        cbor.encode([1]),
    ],
    ids=repr,
)
def test_cbor_that_cannot_be_read(body: bytes) -> None:
    assert refuse("cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor", body).code == "SerializationException"


def answer(name: str, op: str, protocol: str, sent: Request) -> dict[str, Any] | AwsError:
    """What comes of a request: anything but these two fails the test."""
    try:
        return codec(operation(name, op), protocol).parse(sent, {})
    except AwsError as e:
        return e


FUZZED = [
    ("iam", "CreateRole", "query"),
    ("ec2", "RunInstances", "ec2"),
    ("dynamodb", "TransactWriteItems", "json"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
    ("lambda", "CreateFunction", "rest-json"),
    ("s3", "PutBucketLifecycleConfiguration", "rest-xml"),
]


@pytest.mark.parametrize(("name", "op", "protocol"), FUZZED)
@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300), query=st.text(st.characters(codec="ascii"), max_size=60))
def test_garbage_is_an_answer_or_a_request(name: str, op: str, protocol: str, body: bytes, query: str) -> None:
    sent = Request("POST", "/", query, {"x-amz-date": query}, body)
    found = answer(name, op, protocol, sent)
    assert isinstance(found, dict) or found.status == 400


JSONISH = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(1 << 64), (1 << 64) - 1)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["TransactItems", "Put", "Item", "x"]), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=JSONISH)
def test_cbor_values_of_any_shape(value: object) -> None:
    sent = Request("POST", "/", "", {}, cbor.encode(value))
    found = answer("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", sent)
    assert isinstance(found, dict) or found.code == "SerializationException"


@pytest.mark.parametrize("said", ["ENABLED", "enabled"])
def test_a_header_with_one_word_is_read_in_any_case(said: str) -> None:
    sent = Request("GET", "/b/k", "", {"x-amz-checksum-mode": said})
    req = codec(operation("s3", "GetObject"), "rest-xml").parse(sent, {"Bucket": "b", "Key": "k"})
    assert req["ChecksumMode"] == "ENABLED"
