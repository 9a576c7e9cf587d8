"""DescribeInstances of a thousand simulated instances, as the client sees it.

    python bench/describe_instances.py [--instances 1000]

Printed beside hello, world of the same server, and a small call of the same pipeline, in the same run.
"""

from __future__ import annotations

import argparse
import socket
from statistics import median

from bench.http_server import HELLO, Result, compare, hello_world, measure, signed_post
from bench.pipeline import Running, client, jar, memory_mib
from cloudjar.auth.presign import Credentials
from cloudjar.base.clock import monotonic

ROOT = Credentials("test", "test")


def launch(running: Running, count: int) -> None:
    """Raise the vCPU quota as a user would, then launch."""
    quotas = client(running.port, "service-quotas")
    quotas.request_service_quota_increase(ServiceCode="ec2", QuotaCode="L-1216C47A", DesiredValue=float(2 * count + 8))
    running.advance(600)  # a request waits some minutes for its approval
    ec2 = client(running.port, "ec2")
    image = ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "architecture", "Values": ["x86_64"]}])
    for _ in range(0, count, 100):
        ec2.run_instances(ImageId=image["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=100, MaxCount=100)
    ec2.get_waiter("instance_running").wait(WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def whole_answer(port: int, request: bytes) -> tuple[float, int]:
    """(seconds to the last byte, bytes) of one call on a fresh connection."""
    began = monotonic()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        size = 0
        while data := sock.recv(1 << 20):
            size += len(data)
    return monotonic() - began, size


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", type=int, default=1000)
    count = parser.parse_args().instances
    with hello_world() as port:
        floor: Result = measure(port, [HELLO], clients=1, seconds=1)
        print(compare("hello, world (1)", floor, floor))
    with jar() as running:
        launch(running, count)
        port, pid = running.port, running.pid
        request = signed_post(
            b"Action=DescribeInstances&Version=2016-11-15",
            service="ec2",
            credentials=ROOT,
            host=f"127.0.0.1:{port}",
        )
        whole_answer(port, request)
        runs = [whole_answer(port, request) for _ in range(25)]
        took = median(seconds for seconds, _ in runs)
        print(f"DescribeInstances of {count}: median {took * 1e3:.1f} ms, {runs[0][1] / 1e6:.1f} MB, ", end="")
        print(f"{took * 1e3 / floor.p50:,.0f} x hello, world; server {memory_mib(pid):.0f} MiB")


if __name__ == "__main__":
    main()
