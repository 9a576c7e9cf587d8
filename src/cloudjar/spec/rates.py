"""How many calls a second an account may make of an operation, where that is a quota which can be raised.

By the code of the service in Service Quotas: operation -> code of its quota. Only operations that the product has.

https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
"""

from __future__ import annotations

_QUOTAS = {
    "kms": {
        "CancelKeyDeletion": "L-635264CC", "CreateAlias": "L-F7504F73", "CreateGrant": "L-0428A42E",
        "CreateKey": "L-32B67F4A", "DeleteAlias": "L-1F75ADD1", "DeleteImportedKeyMaterial": "L-1233BF9B",
        "DescribeKey": "L-FAE8F084", "DisableKey": "L-6B8C93BD", "DisableKeyRotation": "L-CE1DB614",
        "EnableKey": "L-BD96F100", "EnableKeyRotation": "L-BE799B67", "GetKeyPolicy": "L-A2A30EC6",
        "GetKeyRotationStatus": "L-D7711EF4", "GetParametersForImport": "L-515A0541", "GetPublicKey": "L-E4FBCA5E",
        "ImportKeyMaterial": "L-99631835", "ListAliases": "L-BF3F8F1D", "ListGrants": "L-D39AB822",
        "ListKeyPolicies": "L-79E0D0AB", "ListKeys": "L-8A08DAEA", "ListResourceTags": "L-FB6513A2",
        "ListRetirableGrants": "L-161E93A6", "PutKeyPolicy": "L-9DDDE6CA", "ReplicateKey": "L-E1C93865",
        "RetireGrant": "L-74021A59", "RevokeGrant": "L-F20EBCB7", "ScheduleKeyDeletion": "L-88313D4A",
        "TagResource": "L-7D6DE447", "UntagResource": "L-6375F442", "UpdateAlias": "L-DB3BF542",
        "UpdateKeyDescription": "L-A3828E1F", "UpdatePrimaryRegion": "L-F83AC7F7",
    },
    "logs": {
        "CreateLogGroup": "L-D2832119", "CreateLogStream": "L-76507CEF", "DeleteLogGroup": "L-07A912D5",
        "DeleteLogStream": "L-C029A21C", "DescribeLogGroups": "L-4284EEDE", "DescribeLogStreams": "L-3F243AD0",
        "PutLogEvents": "L-7E1FAE88",
    },
    "monitoring": {
        "DeleteDashboards": "L-E1508405", "DeleteMetricStream": "L-0F4E28CA", "DescribeAlarms": "L-21CB40A4",
        "GetDashboard": "L-E82C279D", "GetMetricData": "L-5E141212", "GetMetricStatistics": "L-EE839489",
        "GetMetricStream": "L-59022E75", "GetMetricWidgetImage": "L-6FCAAA2E", "ListDashboards": "L-69C44FFD",
        "ListMetricStreams": "L-A1710150", "ListMetrics": "L-05D334F0", "PutDashboard": "L-6753900D",
        "PutMetricAlarm": "L-0720E68F", "PutMetricData": "L-8BC498D4", "PutMetricStream": "L-A6D89949",
        "StartMetricStreams": "L-787E531D", "StopMetricStreams": "L-A64F5500",
    },
    "scheduler": {
        "CreateSchedule": "L-6F4B17DE", "CreateScheduleGroup": "L-21ED5C4A", "DeleteSchedule": "L-53944E21",
        "DeleteScheduleGroup": "L-4F80D7BE", "GetSchedule": "L-FB03E819", "GetScheduleGroup": "L-754C8BBA",
        "ListScheduleGroups": "L-03C881B9", "ListSchedules": "L-66629D52", "ListTagsForResource": "L-1DC60392",
        "TagResource": "L-E7A3E659", "UntagResource": "L-44A0C1A0", "UpdateSchedule": "L-B7845AAE",
    },
    "sns": {
        "ConfirmSubscription": "L-FF07E5EA", "CreateTopic": "L-AB928142", "DeleteTopic": "L-B98ECD3E",
        "GetSubscriptionAttributes": "L-876E1222", "GetTopicAttributes": "L-820458B0",
        "SetSubscriptionAttributes": "L-B6107771", "SetTopicAttributes": "L-F514C636",
    },
}  # fmt: skip
_CODES = {"cloudwatch": "monitoring"}
"""botocore's name of a service -> its code in Service Quotas, where they differ."""


def quota(service: str, operation: str) -> tuple[str, str] | None:
    """The quota (service code, quota code) of calls a second; None where there is none."""
    code = _CODES.get(service, service)
    found = _QUOTAS.get(code, {}).get(operation)
    return None if found is None else (code, found)
