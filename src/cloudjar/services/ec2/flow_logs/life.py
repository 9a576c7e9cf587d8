"""The life of a flow log: every interval it asks the network what passed, and delivers it.

Delivery is done as the role that was given, so what becomes of it is up to the role's policies: without them the log
says ``Access error``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from cloudjar.base import arn as arns
from cloudjar.base.caller import Caller
from cloudjar.base.errors import AwsError
from cloudjar.kit.log_delivery import LogEvent, deliver
from cloudjar.kit.machine import Step, reconciler
from cloudjar.planes.network.port import Flow, NetworkPort
from cloudjar.services.ec2.flow_logs import buckets, transit
from cloudjar.services.ec2.flow_logs.covering import covers
from cloudjar.services.ec2.flow_logs.lines import Seen, flow_line, status_line, version
from cloudjar.services.ec2.flow_logs.pending import Pending, pending
from cloudjar.services.ec2.flow_logs.records import FlowLog
from cloudjar.services.ec2.network_interfaces.records import NetworkInterface
from cloudjar.services.ec2.subnets.records import Subnet
from cloudjar.services.ec2.transit_gateways.records import TransitGateway

SERVICE = "vpc-flow-logs.amazonaws.com"
_DELIVER = "deliver"
_MARGIN = timedelta(minutes=5)
_DENIED = ("AccessDenied", "AccessDeniedException", "ResourceNotFoundException", "NoSuchEntity")


@reconciler(FlowLog)
def converge(step: Step, log: FlowLog | None) -> None:
    """Set the alarm, or deliver when it has gone off."""
    if log is None:
        _forget(step)
        return
    if step.wake.purpose != _DELIVER:
        if not step.world.state.wakes.expects(step.wake, _DELIVER):
            step.again(_DELIVER, step.world.clock.now() + timedelta(seconds=log.interval))
        return
    gather(step, log.vpc_id or log.gateway_id)
    _hand_over(step, log)
    due = datetime.fromtimestamp(step.wake.due, UTC) + timedelta(seconds=log.interval)
    step.again(_DELIVER, max(due, step.world.clock.now() + timedelta(seconds=1)))


def _forget(step: Step) -> None:
    held = pending(step.world)
    held.sessions.pop(step.key, None)
    with step.world.state.database.transaction():
        held.take(step.key)


def gather(step: Step, where: str) -> None:
    """Ask what has passed in a VPC or by a transit gateway, and put it down for every log that it is for."""
    network: NetworkPort = step.port("network")
    flows = network.flows(where)
    held, now = pending(step.world), int(step.world.clock.now().timestamp())
    with step.world.state.database.transaction():
        logs = step.db[FlowLog].all(**{"gateway_id" if where.startswith("tgw-") else "vpc_id": where})
        last = held.last_asked(where)
        if where not in held.asked and last is not None:
            for log in logs:  # what passed before this process first asked, nobody counted
                held.skip(log.id)
        held.asked.add(where)
        for log in logs:
            mine = list(_for_log(step, log, flows, max(last or 0, int(log.created.timestamp())), now))
            if mine:
                held.add(log.id, mine)
        held.now_asked(where, now)


def _for_log(step: Step, log: FlowLog, flows: Iterable[Flow], start: int, end: int) -> Iterator[Seen]:
    if log.gateway_id:
        gateway = step.db[TransitGateway].get(log.gateway_id)
        if gateway is not None:
            yield from (s for s in transit.followed(step.db, gateway, flows, start, end) if transit.wanted(log, s))
        return
    for flow in flows:
        if _wants(log, flow, step.db[NetworkInterface].get(flow.interface)):
            yield _seen(flow, start, end)


def _wants(log: FlowLog, flow: Flow, eni: NetworkInterface | None) -> bool:
    return eni is not None and covers(log, eni) and log.traffic in ("ALL", flow.action)


def _seen(flow: Flow, start: int, end: int) -> Seen:
    return Seen(
        flow.interface, flow.direction, flow.action, flow.source, flow.target, flow.source_port, flow.target_port,
        flow.protocol, flow.packets, flow.bytes, start, end, flow.reason,
    )  # fmt: skip


def _hand_over(step: Step, log: FlowLog) -> None:
    """Deliver what is held for a log; what could not be delivered is gone, as on AWS, and the log says so."""
    failure = ""
    with step.world.state.database.transaction():
        fresh = step.db[FlowLog].get(log.id)
        if fresh is None:
            return
        streams = _streams(step, fresh, pending(step.world))
        try:
            with step.world.state.database.transaction():
                _deliver(step, fresh, streams)
        except AwsError as error:
            failure = "Access error" if error.code in _DENIED else "Unknown error"
        if failure != fresh.error:
            step.db[FlowLog].put(replace(fresh, error=failure))


def _deliver(step: Step, log: FlowLog, streams: Mapping[str, list[LogEvent]]) -> None:
    if not streams:
        return
    if log.bucket:
        buckets.deliver(step.ctx, log, streams)
        return
    who = _session(step, log)
    for stream, events in sorted(streams.items()):
        deliver(step.ctx, who, log.group, stream, events, via=SERVICE, makes_group=True)


def _session(step: Step, log: FlowLog) -> Caller:
    """The role's session: a new one an hour, as long as the role trusts."""
    sessions = pending(step.world).sessions
    role, held = sessions.get(log.id, ("", None))
    if held is None or role != log.role or held.expires <= step.world.clock.now() + _MARGIN:
        source = arns.make("ec2", log.region, log.account, f"vpc-flow-log/{log.id}")
        held = step.ctx.assume(log.role, service=SERVICE, source_arn=source, session_name="vpc-flow-logs")
        sessions[log.id] = (log.role, held)
    return held.caller


def _streams(step: Step, log: FlowLog, held: Pending) -> dict[str, list[LogEvent]]:
    """The records by stream: one stream for each interface that packets could flow through."""
    flows, skipped = held.take(log.id)
    end = int(step.world.clock.now().timestamp())
    start = max(end - log.interval, int(log.created.timestamp()))
    if log.gateway_id:
        return transit.streams(step.db, log, flows, skipped=skipped, start=start, end=end)
    found: dict[str, list[LogEvent]] = {}
    for eni in step.db[NetworkInterface].all(vpc_id=log.vpc_id):
        if not covers(log, eni):
            continue
        place = _place(step, eni)
        mine = [flow for flow in flows if flow.interface == eni.id]
        lines = [LogEvent(flow.start * 1000, flow_line(log.fields, place, flow)) for flow in mine]
        if skipped or (not mine and eni.powered):
            named = {
                "version": str(version(log.fields)), "account-id": place["account-id"], "interface-id": eni.id,
            }  # fmt: skip
            status = "SKIPDATA" if skipped else "NODATA"
            lines.append(LogEvent(start * 1000, status_line(log.fields, named, start, end, status)))
        if lines:
            found[f"{eni.id}-{'all' if log.traffic == 'ALL' else log.traffic.lower()}"] = lines
    return found


def _place(step: Step, eni: NetworkInterface) -> dict[str, str]:
    subnet = step.db[Subnet].get(eni.subnet_id)
    return {
        "account-id": eni.account,
        "vpc-id": eni.vpc_id,
        "subnet-id": eni.subnet_id,
        "instance-id": eni.instance_id if eni.instance_id.startswith("i-") else "",
        "region": eni.region,
        "az-id": subnet.zone_id if subnet is not None else "",
    }
