"""Where a load balancer's log goes, and its delivery every five minutes of AWS's clock: a file for each node.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, record
from cloudjar.planes.proxy.port import ProxyPort
from cloudjar.services.elbv2 import defaults
from cloudjar.services.elbv2.access_logs.lines import Front, entry
from cloudjar.services.elbv2.planning import group_name
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup, Zone

PRINCIPAL = "logdelivery.elasticloadbalancing.amazonaws.com"
_EVERY = timedelta(minutes=5)
_ACCOUNTS = {
    "us-east-1": "127311923021", "us-east-2": "033677994240", "us-west-1": "027434742980", "us-west-2": "797873946194",
    "af-south-1": "098369216593", "ca-central-1": "985666609251", "eu-central-1": "054676820928",
    "eu-west-1": "156460612806", "eu-west-2": "652711504416", "eu-south-1": "635631232127", "eu-west-3": "009996457667",
    "eu-north-1": "897822967062", "ap-east-1": "754344448648", "ap-northeast-1": "582318560864",
    "ap-northeast-2": "600734575887", "ap-northeast-3": "383597477331", "ap-southeast-1": "114774131450",
    "ap-southeast-2": "783225319266", "ap-southeast-3": "589379963580", "ap-south-1": "718504428378",
    "me-south-1": "076674570225", "sa-east-1": "507241528517",
}  # fmt: skip
"""AWS's accounts of load balancers, which bucket policies of Regions from before August 2022 name:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"""
_DELIVER = "deliver"


@record("elasticloadbalancing", "access-log", key="arn")
class AccessLog(Record, frozen=True, kw_only=True):
    """How far each node's requests were delivered; kept while there is the load balancer."""

    arn: str
    places: dict[str, dict[str, int]] = {}


def enabled(balancer: LoadBalancer) -> bool:
    """Whether requests are to be written down."""
    return balancer.kind == "app" and balancer.attributes.get("access_logs.s3.enabled") == "true"


def check(ctx: Ctx, balancer: LoadBalancer, attributes: Mapping[str, str]) -> None:
    """Write AWS's test file where a log shall go. Raises InvalidConfigurationRequest when that may not be."""
    name = attributes.get("access_logs.s3.bucket", "")
    where = bucket_delivery.place(ctx, name, attributes.get("access_logs.s3.prefix", ""))
    if where is not None and where.region == balancer.region:
        try:
            _put(ctx, balancer, where, f"AWSLogs/{balancer.account}/ELBAccessLogTestFile", b"Enable AccessLog\n")
        except AwsError:
            where = None
    if where is None or where.region != balancer.region:
        raise AwsError(
            "InvalidConfigurationRequest", f"Access Denied for bucket: {name}. Please check S3bucket permission"
        )


def follow(ctx: Ctx, balancer: LoadBalancer) -> None:
    """Deliver from now on."""
    if ctx.db[AccessLog].get(balancer.arn) is None:
        ctx.db[AccessLog].add(AccessLog(arn=balancer.arn))
    else:
        ctx.wake(ctx.db[AccessLog].need(balancer.arn))


def _put(ctx: Ctx, balancer: LoadBalancer, where: Place, key: str, body: bytes) -> None:
    """Write a file as log delivery, or, where only that is let in, as the Region's account of old."""
    database = ctx.world.state.database
    try:
        with database.transaction():
            bucket_delivery.put(ctx, callers.service(PRINCIPAL, balancer.account, balancer.arn), where, key, body)
    except AwsError:
        account = _ACCOUNTS.get(balancer.region)
        if account is None:
            raise
        with database.transaction():
            bucket_delivery.put(ctx, callers.root(account), where, key, body)


@reconciler(AccessLog)
def deliver(step: Step, log: AccessLog | None) -> None:
    """Set the alarm, or deliver what its nodes wrote down."""
    balancer = None if log is None else step.db[LoadBalancer].get(step.key)
    if log is None or balancer is None:
        if log is not None:
            with step.world.state.database.transaction():
                step.db[AccessLog].drop(log)
        return
    if step.wake.purpose == _DELIVER:
        for zone in balancer.zones:
            _deliver(step, balancer, zone)
    if enabled(balancer) and (step.wake.purpose == _DELIVER or not step.world.state.wakes.expects(step.wake, _DELIVER)):
        step.again(_DELIVER, _next(step.world.clock.now()))


def _next(now: datetime) -> datetime:
    hour = now.replace(minute=0, second=0, microsecond=0)
    return hour + ((now - hour) // _EVERY + 1) * _EVERY


def _deliver(step: Step, balancer: LoadBalancer, zone: Zone) -> None:
    """One node's file: it and the place in the node's requests are kept together. What may not be put is lost."""
    proxies: ProxyPort = step.port("proxy")
    log = step.db[AccessLog].need(balancer.arn)
    requests, end = proxies.requests(zone.node, log.places.get(zone.node, {}))
    if not requests:
        return
    attributes = defaults.whole(defaults.of_balancer(balancer), balancer.attributes)
    where = bucket_delivery.place(
        step.ctx, attributes["access_logs.s3.bucket"], attributes["access_logs.s3.prefix"]
    )
    fronts, groups = _fronts(step, balancer), {group_name(g): g.arn for g in step.db[TargetGroup].all()}
    shift = (step.world.clock.now() - step.world.clock.real()).total_seconds()
    name = f"app/{balancer.name}/{balancer.suffix}"
    text = "".join(entry(name, request, fronts, groups, shift) + "\n" for request in requests)
    with step.world.state.database.transaction():
        if where is not None:
            try:
                key = _key(balancer, zone, step.world.clock.now())
                _put(step.ctx, balancer, where, key, gzip.compress(text.encode(), mtime=0))
            except AwsError:  # the policy has changed: AWS loses these too
                pass
        step.db[AccessLog].put(replace(log, places={**log.places, zone.node: end}))


def _key(balancer: LoadBalancer, zone: Zone, now: datetime) -> str:
    account, region = balancer.account, balancer.region
    name = f"app.{balancer.name}.{balancer.suffix}"
    end = f"{now:%Y%m%dT%H%MZ}_{zone.address or zone.interface_id}_{ids.entropy(4).hex()}"
    folder = f"AWSLogs/{account}/elasticloadbalancing/{region}/{now:%Y/%m/%d}"
    return f"{folder}/{account}_elasticloadbalancing_{region}_{name}_{end}.log.gz"


def _fronts(step: Step, balancer: LoadBalancer) -> dict[int, Front]:
    """Listeners by port, with their rules in the order in which nodes have them."""
    found = {}
    for listener in step.db[Listener].all(load_balancer_arn=balancer.arn):
        own = sorted(step.db[Rule].all(listener_arn=listener.arn), key=lambda rule: rule.priority)
        rules = [*((rule.priority, _does(rule.actions)) for rule in own), (0, _does(listener.actions))]
        certificate = listener.certificates[0] if len(listener.certificates) == 1 else ""
        found[listener.port] = Front(certificate, rules)
    return found


def _does(actions: list[dict[str, str]]) -> str:
    return ",".join(action["Type"] for action in actions)
