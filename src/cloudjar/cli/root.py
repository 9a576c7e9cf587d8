"""The list of commands; each is imported only when it is called."""

from __future__ import annotations

import importlib

import click

from cloudjar import __version__

COMMANDS = {
    "up": ("cloudjar.cli.up", "up", "Start the jar."),
    "down": ("cloudjar.cli.down", "down", "Stop it and restore the host; what it knows and its disks are kept."),
    "status": ("cloudjar.cli.status", "status", "What runs, and what it has cost."),
    "doctor": ("cloudjar.cli.doctor", "doctor", "What this host can do, and what to try where it cannot."),
    "reset": ("cloudjar.cli.down", "reset", "Stop it, restore the host and delete all its data."),
    "logs": ("cloudjar.cli.journal", "logs", "What the server says."),
    "fsck": ("cloudjar.cli.fsck", "fsck", "Are S3's objects what they were? Checks every byte, and mends the index."),
    "events": ("cloudjar.cli.journal", "events", "What happened in the cloud, as EventBridge sees it."),
    "env": ("cloudjar.cli.environment", "env", "Shell lines that point the AWS tools here."),
    "shell": (
        "cloudjar.cli.environment",
        "shell",
        "A shell in which plain `aws` works, privately configured.",
    ),
    "ssh": ("cloudjar.cli.ssh", "ssh", "Sign in to an instance."),
    "tunnel": ("cloudjar.cli.tunnel", "tunnel", "To a private machine through an EC2 Instance Connect Endpoint."),
    "console": ("cloudjar.cli.console", "console", "Sit at the serial console of an instance."),
    "why": ("cloudjar.cli.why", "why", "Why a call was allowed or refused."),
    "reach": ("cloudjar.cli.reach", "reach", "Why one machine can or cannot reach another."),
    "bill": ("cloudjar.cli.bill", "bill", "What was used, and what it would have cost."),
    "leftovers": ("cloudjar.cli.leftovers", "leftovers", "What still costs, everywhere, and what ends it."),
    "advisor": ("cloudjar.cli.advisor", "advisor", "What is unsafe, idle or near its limit, and what mends it."),
    "budget": ("cloudjar.cli.budget", "budget", "A budget from a template, which tells by e-mail."),
    "quota": ("cloudjar.cli.quota", "quota", "Requests for higher quotas: list, approve, deny."),
    "account": ("cloudjar.cli.account", "account", "Accounts: list them, open one on a plan."),
    "certificate": ("cloudjar.cli.certificate", "certificate", "Certificates: prove their domains, trust their root."),
    "prices": ("cloudjar.cli.prices", "prices", "Prices: take them from AWS's public offer files."),
    "invoices": ("cloudjar.cli.invoices", "invoices", "What was charged for months that are over."),
    "clock": ("cloudjar.cli.clock", "clock", "The cloud's own time: move it on, hasten it, freeze it."),
    "consistency": ("cloudjar.cli.consistency", "consistency", "How long IAM's changes take to be seen."),
    "fault": ("cloudjar.cli.fault", "fault", "Break things on purpose: a zone's power, an instance's host."),
    "mail": ("cloudjar.cli.mail", "mail", "What AWS would have sent to people, and its links."),
    "spot": ("cloudjar.cli.spot", "spot", "Take the capacity of spot instances away."),
    "maintenance": ("cloudjar.cli.spot", "maintenance", "Schedule an event of AWS's for an instance."),
    "ami": ("cloudjar.cli.ami", "ami", "Bring a system from outside: a root tarball or an OCI image as an AMI."),
    "image": ("cloudjar.cli.image", "image", "Machine images of this host: list, build."),
}


class Lazy(click.Group):
    """A group whose commands are imported when asked for; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's signature
        """In the order of the day, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 the same
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 the same
        """One line each, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="cloudjar %(version)s")
def cli() -> None:
    """AWS in a jar, where consequences are real.

    Start with `cloudjar up`, then `cloudjar shell`.
    """
