"""Instances, and what is bought ahead of them, through the API."""

from __future__ import annotations

from typing import Any

from tests.jar import TestJar


def reserve(jar: TestJar, kind: str = "t3.micro", count: int = 1, option: str = "No Upfront", **more: Any) -> str:
    ec2 = jar.client("ec2")
    found = ec2.describe_reserved_instances_offerings(
        InstanceType=kind, OfferingClass="standard", OfferingType=option, MaxDuration=31_536_000,
        Filters=[{"Name": "scope", "Values": ["Region"]}], **more,
    )["ReservedInstancesOfferings"][0]  # fmt: skip
    key = ec2.purchase_reserved_instances_offering(
        ReservedInstancesOfferingId=found["ReservedInstancesOfferingId"], InstanceCount=count
    )["ReservedInstancesId"]
    jar.settle()
    return str(key)


def commit(jar: TestJar, commitment: str, option: str = "No Upfront") -> str:
    plans = jar.client("savingsplans", region="us-east-1")
    offer = plans.describe_savings_plans_offerings(
        planTypes=["Compute"], paymentOptions=[option], durations=[31_536_000]
    )["searchResults"][0]
    key = plans.create_savings_plan(savingsPlanOfferingId=offer["offeringId"], commitment=commitment)["savingsPlanId"]
    jar.settle()
    return str(key)


def launch(jar: TestJar, kind: str = "t3.micro", count: int = 1) -> list[str]:
    ec2 = jar.client("ec2")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType=kind, MinCount=count, MaxCount=count)["Instances"]
    jar.settle()
    return [one["InstanceId"] for one in made]
