"""Answers, errors, remembered renderings and event streams, as they look on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cloudjar.base.errors import AwsError
from cloudjar.spec.models import OperationModel, service
from cloudjar.wire import cbor, eventstream, values
from cloudjar.wire.codec import PROTOCOLS, View, codec
from cloudjar.wire.faults import fault
from cloudjar.wire.message import Request, Response
from cloudjar.wire.values import Malformed

AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def operation(name: str, op: str) -> OperationModel:
    return service(name).operations[op]


def text(response: Response) -> str:
    assert isinstance(response.body, bytes)
    return response.body.decode()


def header(response: Response, name: str) -> str:
    return dict(response.headers)[name]


# -- answers -----------------------------------------------------------------------------------------------------


def test_a_query_answer() -> None:
    made = codec(operation("sts", "GetCallerIdentity"), "query").respond(
        {"Account": "000000000000", "Arn": None}, "r-1"
    )
    assert text(made) == (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        "<Account>000000000000</Account></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    assert made.status == 200
    assert header(made, "Content-Type") == "text/xml"
    assert header(made, "x-amzn-RequestId") == "r-1"


def test_an_ec2_answer_has_milliseconds_and_an_item_per_element() -> None:
    result = {"Reservations": [{"ReservationId": "r-1", "Instances": [{"InstanceId": "i-1", "LaunchTime": AT}]}]}
    made = text(codec(operation("ec2", "DescribeInstances"), "ec2").respond(result, "q"))
    assert made == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>q</requestId>'
        "<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item><instanceId>i-1</instanceId>"
        "<launchTime>2026-01-15T12:00:00.000Z</launchTime></item></instancesSet></item></reservationSet>"
        "</DescribeInstancesResponse>"
    )


def test_an_ec2_answer_without_output_says_true() -> None:
    made = text(codec(operation("ec2", "DeleteVpc"), "ec2").respond({}, "q"))
    assert "<return>true</return>" in made


def test_xml_carries_any_text() -> None:
    result = {"Account": "<&>\"'\x00\r é \U0001f600", "UserId": "\ud800"}
    made = text(codec(operation("sts", "GetCallerIdentity"), "query").respond(result, "r"))
    assert "<Account>&lt;&amp;&gt;\"'\ufffd&#xD; é \U0001f600</Account>" in made
    assert "<UserId>\ufffd</UserId>" in made


def test_json_timestamps_are_numbers() -> None:
    made = codec(operation("ssm", "GetParameter"), "json").respond(
        {"Parameter": {"Name": "/a", "LastModifiedDate": AT}}, "r"
    )
    assert json.loads(text(made)) == {"Parameter": {"Name": "/a", "LastModifiedDate": 1768478400}}
    assert header(made, "Content-Type") == "application/x-amz-json-1.1"


def test_s3_names_its_roots_and_puts_the_rest_in_headers() -> None:
    made = codec(operation("s3", "ListBuckets"), "rest-xml").respond(
        {"Buckets": [{"Name": "b", "CreationDate": AT}]}, "r"
    )
    assert text(made).startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    )
    assert header(made, "x-amz-request-id") == "r"
    got = codec(operation("s3", "GetObject"), "rest-xml").respond(
        {"Body": b"data", "ContentType": "text/plain", "LastModified": AT, "Metadata": {"a": "b\r\nEvil: 1"}}, "r"
    )
    assert got.body == b"data"
    assert header(got, "Last-Modified") == "Thu, 15 Jan 2026 12:00:00 GMT"
    assert header(got, "Content-Type") == "text/plain"
    assert header(got, "x-amz-meta-a") == "b  Evil: 1"


@pytest.mark.parametrize(("where", "inner"), [("eu-west-3", "eu-west-3"), (None, "")])
def test_the_location_of_a_bucket_is_the_text_of_the_root(where: str | None, inner: str) -> None:
    made = codec(operation("s3", "GetBucketLocation"), "rest-xml").respond({"LocationConstraint": where}, "r")
    assert text(made).endswith(f'"http://s3.amazonaws.com/doc/2006-03-01/">{inner}</LocationConstraint>')


def test_a_streamed_body_goes_through_untouched() -> None:
    chunks = iter([b"a", b"b"])
    made = codec(operation("s3", "GetObject"), "rest-xml").respond({"Body": chunks}, "r")
    assert made.body is chunks


def test_sqs_still_speaks_query() -> None:
    result = {"Messages": [{"MessageId": "m", "Body": "hi", "Attributes": {"SenderId": "x"}}]}
    made = text(codec(operation("sqs", "ReceiveMessage"), "query").respond(result, "r"))
    assert "<ReceiveMessageResult><Message><MessageId>m</MessageId><Body>hi</Body>" in made
    assert "<Attribute><Name>SenderId</Name><Value>x</Value></Attribute></Message></ReceiveMessageResult>" in made
    body = b"Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b"
    assert codec(operation("sqs", "CreateQueue"), "query").parse(Request("POST", "/", "", {}, body), {}) == {
        "QueueName": "q",
        "Attributes": {"DelaySeconds": "5"},
        "tags": {"a": "b"},
    }


# -- remembered renderings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "op", "protocol", "path"),
    [
        ("ec2", "DescribeInstances", "ec2", "Reservations.Instances"),
        ("iam", "ListUsers", "query", "Users"),
        ("ssm", "DescribeParameters", "json", "Parameters"),
        ("lambda", "ListFunctions", "rest-json", "Functions"),
        ("cloudwatch", "DescribeAlarms", "smithy-rpc-v2-cbor", "MetricAlarms"),
        ("s3", "ListObjectsV2", "rest-xml", "Contents"),
    ],
)
def test_views_and_rendered_elements_look_like_the_plain_dict(name: str, op: str, protocol: str, path: str) -> None:
    made = codec(operation(name, op), protocol)
    outer, _, inner = path.rpartition(".")
    shape: Any = operation(name, op).output
    for step in path.split("."):
        shape = shape.members[step].member
    member = next(n for n, m in shape.members.items() if m.type == "string")
    element = {member: "a <b>"}

    def answer(value: Any) -> bytes | Any:
        held = {inner: [value, value]}
        return made.respond({outer: [held]} if outer else held, "r").body

    view = View(element)
    plain = answer(element)
    assert answer(view) == plain
    assert view.rendered, "remembered"
    assert answer(view) == plain
    assert answer(made.element(path, element)) == plain


def test_a_rendering_of_another_protocol_is_refused() -> None:
    element = codec(operation("iam", "ListUsers"), "query").element("Users", {"UserName": "a"})
    with pytest.raises(TypeError, match="rendered as"):
        codec(operation("iam", "ListRoles"), "query").respond({"Roles": [element]}, "r")


def test_there_is_no_element_where_there_is_no_structure() -> None:
    with pytest.raises(KeyError):
        codec(operation("iam", "ListUsers"), "query").element("Nonsense", {})


# -- errors ------------------------------------------------------------------------------------------------------


def failed(name: str, protocol: str, error: AwsError) -> Response:
    return fault(service(name), None, protocol, error, "r-1")


def test_an_ec2_error() -> None:
    made = failed("ec2", "ec2", AwsError("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist", 400))
    assert text(made) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>'
        "<Message>The vpc ID 'vpc-1' does not exist</Message></Error></Errors><RequestID>r-1</RequestID></Response>"
    )
    assert made.status == 400


def test_a_query_error_takes_its_status_and_code_from_the_model() -> None:
    made = failed("iam", "query", AwsError("NoSuchEntity", "The user with name x cannot be found."))
    assert made.status == 404
    assert text(made) == (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        "<Code>NoSuchEntity</Code><Message>The user with name x cannot be found.</Message></Error>"
        "<RequestId>r-1</RequestId></ErrorResponse>"
    )
    assert failed("iam", "query", AwsError("NoSuchEntityException", "x")).status == 404


def test_an_s3_error_has_no_wrapper() -> None:
    made = failed("s3", "rest-xml", AwsError("NoSuchBucket", "No such bucket", 404, members={"BucketName": "b<"}))
    assert text(made).startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchBucket</Code><Message>No such bucket</Message>'
        "<BucketName>b&lt;</BucketName><RequestId>r-1</RequestId><HostId>"
    )
    assert header(made, "x-amz-request-id") == "r-1"


def test_a_json_error() -> None:
    made = failed("dynamodb", "json", AwsError("ResourceNotFoundException", "no table"))
    assert json.loads(text(made)) == {"__type": "ResourceNotFoundException", "message": "no table"}
    assert made.status == 400


def test_a_query_compatible_service_tells_its_former_code() -> None:
    made = failed("sqs", "json", AwsError("QueueDoesNotExist", "The specified queue does not exist."))
    assert header(made, "x-amzn-query-error") == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert json.loads(text(made))["__type"] == "QueueDoesNotExist"
    old = failed("sqs", "query", AwsError("QueueDoesNotExist", "The specified queue does not exist."))
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text(old)


def test_a_rest_json_error_is_named_in_a_header() -> None:
    error = AwsError("ResourceNotFoundException", "no function", members={"Type": "User"})
    made = failed("lambda", "rest-json", error)
    assert made.status == 404
    assert header(made, "x-amzn-ErrorType") == "ResourceNotFoundException"
    assert json.loads(text(made)) == {"Message": "no function", "Type": "User"}


def test_a_cbor_error() -> None:
    made = failed("cloudwatch", "smithy-rpc-v2-cbor", AwsError("ResourceNotFound", "no alarm"))
    assert header(made, "smithy-protocol") == "rpc-v2-cbor"
    assert cbor.decode(made.body)["message"] == "no alarm"  # type: ignore[arg-type]  # bytes here


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_protocol_can_refuse_without_a_service(protocol: str) -> None:
    made = fault(None, None, protocol, AwsError("InternalFailure", "sorry", 500, headers={"x-a": "b"}), "r-1")
    assert made.status == 500
    assert b"sorry" in made.body  # type: ignore[operator]  # bytes here
    assert ("x-a", "b") in made.headers


# -- event streams and scalars -----------------------------------------------------------------------------------


def test_frames_survive_any_chunking_and_no_damage() -> None:
    head = {":message-type": "event", "n": 1 << 40, "small": -3, "t": True, "f": False, "at": AT, "raw": b"\x00"}
    frame = eventstream.pack(head, b"payload")
    assert list(eventstream.unpack([frame[:5], frame[5:20], frame[20:] + frame])) == [(head, b"payload")] * 2
    for at in range(len(frame)):
        damaged = frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]
        with pytest.raises(Malformed):
            list(eventstream.unpack([damaged]))


def test_a_stream_that_fails_ends_with_its_exception() -> None:
    def events() -> Any:
        yield {"PayloadChunk": {"Payload": b"part"}}
        raise AwsError("InternalFailure", "sorry")

    made = codec(operation("lambda", "InvokeWithResponseStream"), "rest-json")
    body = made.respond({"EventStream": events(), "StatusCode": 200}, "r").body
    messages = list(eventstream.unpack(body))  # type: ignore[arg-type]  # an iterable here
    assert [m.headers[":message-type"] for m in messages] == ["event", "error"]
    assert messages[0].payload == b"part"
    assert messages[1].headers[":error-code"] == "InternalFailure"


@pytest.mark.parametrize(
    "given",
    [
        "2026-01-15T12:00:00Z",
        "2026-01-15T12:00:00.000Z",
        "2026-01-15T13:00:00+01:00",
        "2026-01-15T12:00:00",
        "20260115T120000Z",
        "Thu, 15 Jan 2026 12:00:00 GMT",
        "1768478400",
        "1768478400.0",
        "1.7684784E9",
        1768478400,
        1768478400.0,
    ],
)
def test_every_form_of_a_timestamp(given: Any) -> None:
    assert values.timestamp(given) == AT


@pytest.mark.parametrize(
    "given", ["", "yesterday", "1e99", True, [], "9" * 30, "Thu, 99 Jan 2026 12:00:00 GMT", float("inf")]
)
def test_what_is_no_timestamp(given: Any) -> None:
    with pytest.raises(Malformed):
        values.timestamp(given)


def test_fractions_of_a_second() -> None:
    at = AT.replace(microsecond=123456)
    assert values.iso(at) == "2026-01-15T12:00:00.123Z"
    assert values.unix(at) == 1768478400.123
    assert values.unix(AT) == 1768478400
    assert values.http_date(at) == "Thu, 15 Jan 2026 12:00:00 GMT"
