"""Codes of what SNS refuses, beside those that other tests meet."""

from __future__ import annotations

import json

from tests.services.sns.conftest import News
from tests.services.sns.test_sealing import code


def test_batches_that_cannot_be(news: News) -> None:
    def why(*entries: dict[str, str]) -> str:
        return code(news.client.publish_batch, TopicArn=news.arn, PublishBatchRequestEntries=list(entries))

    assert why() == "EmptyBatchRequest"
    assert why({"Id": "a b", "Message": "x"}) == "InvalidBatchEntryId"
    assert why(*({"Id": "a", "Message": "x"} for _ in range(2))) == "BatchEntryIdsNotDistinct"
    assert why(*({"Id": f"a{n}", "Message": "x"} for n in range(11))) == "TooManyEntriesInBatchRequest"
    assert why(*({"Id": f"a{n}", "Message": "x" * 200_000} for n in range(2))) == "BatchRequestTooLong"


def test_too_much_of_something(news: News) -> None:
    tags = [{"Key": f"k{n}", "Value": "v"} for n in range(51)]
    assert code(news.client.tag_resource, ResourceArn=news.arn, Tags=tags) == "TagLimitExceeded"
    missing = news.arn + "x"
    assert code(news.client.tag_resource, ResourceArn=missing, Tags=tags[:1]) == "ResourceNotFound"
    policy = json.dumps({f"k{n}": ["a"] for n in range(6)})
    asked = {"TopicArn": news.arn, "Protocol": "sms", "Endpoint": "+33612345678"}
    found = code(news.client.subscribe, **asked, Attributes={"FilterPolicy": policy})
    assert found in ("InvalidParameter", "FilterPolicyLimitExceeded")
