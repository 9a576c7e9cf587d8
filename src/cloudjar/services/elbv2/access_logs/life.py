"""Where a load balancer's log goes, and its delivery every five minutes of AWS's clock: a file for each node.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

import gzip
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec.structs import replace

from cloudjar.base import caller as callers
from cloudjar.base import ids
from cloudjar.base.errors import AwsError
from cloudjar.kit import bucket_delivery, certificates
from cloudjar.kit.bucket_delivery import Place
from cloudjar.kit.context import Ctx
from cloudjar.kit.machine import Step, reconciler
from cloudjar.kit.record import Record, record
from cloudjar.planes.proxy.port import ProxyPort
from cloudjar.services.elbv2 import defaults
from cloudjar.services.elbv2.access_logs.lines import Front, entry
from cloudjar.services.elbv2.access_logs.met import TlsFront, fingerprint, of_connection, of_relayed
from cloudjar.services.elbv2.planning import group_name
from cloudjar.services.elbv2.records import Listener, LoadBalancer, Rule, TargetGroup, Zone

PRINCIPAL = "logdelivery.elasticloadbalancing.amazonaws.com"
NETWORK_PRINCIPAL = "delivery.logs.amazonaws.com"
"""Who delivers for Network Load Balancers:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/enable-access-logs.html"""
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
_LOGS = {"access_logs": b"Enable AccessLog\n", "connection_logs": b"Enable ConnectionLog\n"}
"""Kinds of logs, and what is in the file that tries the bucket."""
_TESTS = {"access_logs": "ELBAccessLogTestFile", "connection_logs": "ELBConnectionLogTestFile"}


@record("elasticloadbalancing", "access-log", key="arn")
class AccessLog(Record, frozen=True, kw_only=True):
    """How far each node's requests and connections were delivered; kept while there is the load balancer."""

    arn: str
    places: dict[str, dict[str, int]] = {}
    met: dict[str, dict[str, int]] = {}


def kept(balancer: LoadBalancer) -> list[str]:
    """Which logs are: ``access_logs``, ``connection_logs``."""
    return [log for log in _LOGS if balancer.attributes.get(f"{log}.s3.enabled") == "true"]


def check(ctx: Ctx, balancer: LoadBalancer, log: str) -> None:
    """Write AWS's test file where a log shall go. Raises InvalidConfigurationRequest when that may not be."""
    name, prefix = balancer.attributes[f"{log}.s3.bucket"], balancer.attributes.get(f"{log}.s3.prefix", "")
    where = bucket_delivery.place(ctx, name, prefix)
    if where is not None and where.region == balancer.region:
        try:
            _put(ctx, balancer, where, f"AWSLogs/{balancer.account}/{_TESTS[log]}", _LOGS[log])
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
    principal = PRINCIPAL if balancer.kind == "app" else NETWORK_PRINCIPAL
    try:
        with database.transaction():
            bucket_delivery.put(ctx, callers.service(principal, balancer.account, balancer.arn), where, key, body)
    except AwsError:
        account = _ACCOUNTS.get(balancer.region)
        if account is None or balancer.kind != "app":
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
    if kept(balancer) and (step.wake.purpose == _DELIVER or not step.world.state.wakes.expects(step.wake, _DELIVER)):
        step.again(_DELIVER, _next(step.world.clock.now()))


def _next(now: datetime) -> datetime:
    hour = now.replace(minute=0, second=0, microsecond=0)
    return hour + ((now - hour) // _EVERY + 1) * _EVERY


def _deliver(step: Step, balancer: LoadBalancer, zone: Zone) -> None:
    """One node's files: they and the places in what it wrote down are kept together. What may not be put is lost."""
    proxies: ProxyPort = step.port("proxy")
    log = step.db[AccessLog].need(balancer.arn)
    shift = (step.world.clock.now() - step.world.clock.real()).total_seconds()
    written: dict[str, list[str]] = {}
    met, met_end = proxies.connections(zone.node, log.met.get(zone.node, {}))
    requests, end = proxies.requests(zone.node, log.places.get(zone.node, {}))
    if not met and not requests:
        return
    if balancer.kind == "app":
        name = f"app/{balancer.name}/{balancer.suffix}"
        fronts, groups = _fronts(step, balancer), {group_name(g): g.arn for g in step.db[TargetGroup].all()}
        written["access_logs"] = [entry(name, request, fronts, groups, shift) for request in requests]
        written["connection_logs"] = [of_connection(one, shift) for one in met]
    else:
        name = f"net/{balancer.name}/{balancer.suffix}"
        doors, gone = _doors(step, balancer), TlsFront("-", {})
        written["access_logs"] = [of_relayed(name, one, doors.get(one.listener, gone), shift) for one in met]
    with step.world.state.database.transaction():
        for kind in kept(balancer):
            _file(step, balancer, zone, kind, written[kind])
        places, after = {**log.places, zone.node: end}, {**log.met, zone.node: met_end}
        step.db[AccessLog].put(replace(log, places=places, met=after))


def _file(step: Step, balancer: LoadBalancer, zone: Zone, kind: str, lines: list[str]) -> None:
    """Put a file, where there is anything in it and its bucket still takes it: AWS loses the others too."""
    told = defaults.whole(defaults.of_balancer(balancer), balancer.attributes)
    where = bucket_delivery.place(step.ctx, told[f"{kind}.s3.bucket"], told[f"{kind}.s3.prefix"])
    if where is None or not lines:
        return
    body = gzip.compress("".join(line + "\n" for line in lines).encode(), mtime=0)
    with suppress(AwsError):
        _put(step.ctx, balancer, where, _key(balancer, zone, kind, step.world.clock.now()), body)


def _key(balancer: LoadBalancer, zone: Zone, kind: str, now: datetime) -> str:
    account, region = balancer.account, balancer.region
    name = f"{balancer.kind}.{balancer.name}.{balancer.suffix}"
    node = f"_{zone.address or zone.interface_id}" if balancer.kind == "app" else ""
    end = f"{now:%Y%m%dT%H%MZ}{node}_{ids.entropy(4).hex()}"
    folder = f"AWSLogs/{account}/elasticloadbalancing/{region}/{now:%Y/%m/%d}"
    front = "conn_log." if kind == "connection_logs" else ""
    return f"{folder}/{front}{account}_elasticloadbalancing_{region}_{name}_{end}.log.gz"


def _doors(step: Step, balancer: LoadBalancer) -> dict[int, TlsFront]:
    """Listeners of a Network Load Balancer that end TLS, by port, with their certificates by SHA-1."""
    found = {}
    for listener in step.db[Listener].all(load_balancer_arn=balancer.arn):
        pems = {arn: certificates.keeper(step.ctx).pem(step.ctx, arn) for arn in listener.certificates}
        marks = {fingerprint(pem): arn for arn, pem in pems.items() if pem}
        found[listener.port] = TlsFront(listener.path.rpartition("/")[2], marks)
    return found


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
