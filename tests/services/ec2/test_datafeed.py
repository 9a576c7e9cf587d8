"""The data feed of Spot Instances: who must let it in, and what is in its files."""

from __future__ import annotations

import gzip
from typing import Any

from tests.jar import ACCOUNT, TestJar
from tests.services.ec2.asking import code, launch, refused

REGION = {"LocationConstraint": "eu-west-3"}


def files(s3: Any) -> dict[str, str]:
    found = {}
    for one in s3.list_objects_v2(Bucket="feed").get("Contents") or ():
        body = s3.get_object(Bucket="feed", Key=one["Key"])["Body"]
        found[one["Key"]] = gzip.decompress(body.read()).decode()
        body.close()
    return found


def test_an_hour_of_use_is_a_file(jar: TestJar, ec2: Any) -> None:
    s3 = jar.client("s3")
    s3.create_bucket(Bucket="feed", CreateBucketConfiguration=REGION, ObjectOwnership="ObjectWriter")
    assert code(ec2.describe_spot_datafeed_subscription) == "InvalidSpotDatafeed.NotFound"
    made = ec2.create_spot_datafeed_subscription(Bucket="feed", Prefix="spot")["SpotDatafeedSubscription"]
    assert made == {"Bucket": "feed", "OwnerId": ACCOUNT, "Prefix": "spot", "State": "Active"}
    assert any(one["Permission"] == "FULL_CONTROL" and one["Grantee"]["ID"].startswith("c4c1ede66af5")
               for one in s3.get_bucket_acl(Bucket="feed")["Grants"])  # fmt: skip
    jar.advance(hours=2)
    assert files(s3) == {}
    vm = launch(ec2, InstanceMarketOptions={"MarketType": "spot"})
    jar.settle()
    request = ec2.describe_instances(InstanceIds=[vm])["Reservations"][0]["Instances"][0]["SpotInstanceRequestId"]
    jar.advance(hours=3)
    written = files(s3)
    assert 2 <= len(written) <= 3
    for key, text in written.items():
        name, number, *_ = key.removeprefix(f"spot/{ACCOUNT}.").split(".")
        assert (len(name), number, key.endswith(".gz")) == (13, "001", True)
        version, fields, line = text.splitlines()
        assert version == "#Version: 1.0"
        assert fields.startswith("#Fields: Timestamp UsageType Operation InstanceID MyBidID")
        when, usage, operation, instance, bid, most, price, charge, _ = line.split("\t")
        assert when.replace(" ", "-").startswith(name)
        assert (usage, operation[:17]) == ("EUW3-SpotUsage:t3.micro", "RunInstances:SV00")
        assert (instance, bid) == (vm, request)
        assert 0 < float(charge.split()[0]) <= float(price.split()[0]) < float(most.split()[0])
    ec2.delete_spot_datafeed_subscription()
    jar.advance(hours=2)
    assert files(s3) == written
    assert code(ec2.describe_spot_datafeed_subscription) == "InvalidSpotDatafeed.NotFound"


def test_a_bucket_that_does_not_let_it_in(jar: TestJar, ec2: Any) -> None:
    s3 = jar.client("s3")
    create = ec2.create_spot_datafeed_subscription
    assert code(create, Bucket="nowhere-at-all") == "InaccessibleStorageLocation"
    s3.create_bucket(Bucket="feed", CreateBucketConfiguration=REGION)
    assert refused(create, Bucket="feed")[0] == "InaccessibleStorageLocation"
    s3.put_bucket_ownership_controls(
        Bucket="feed", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )
    create(Bucket="feed")
    owner = s3.get_bucket_acl(Bucket="feed")["Owner"]
    s3.put_bucket_acl(Bucket="feed", AccessControlPolicy={"Owner": owner, "Grants": []})
    launch(ec2, InstanceMarketOptions={"MarketType": "spot"})
    jar.settle()
    jar.advance(hours=2)
    feed = ec2.describe_spot_datafeed_subscription()["SpotDatafeedSubscription"]
    assert (feed["State"], feed["Fault"]["Code"]) == ("Inactive", "InaccessibleStorageLocation")
    create(Bucket="feed")
    jar.advance(hours=2)
    assert ec2.describe_spot_datafeed_subscription()["SpotDatafeedSubscription"]["State"] == "Active"
    assert len(files(s3)) >= 1
