"""What is run in a guest for a session, and as whom (pure).

https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-ssm-user-permissions.html
"""

from __future__ import annotations

from typing import Any

from cloudjar.planes.compute.inside import Command

SSM_USER = "ssm-user"

# The agent's own ways: its user appears with the first session and may become root; sessions begin in /usr/bin.
_AS_USER = """
user=$1
shift
if ! id "$user" >/dev/null 2>&1; then
    if [ "$user" != ssm-user ]; then
        echo "failed to start pty since RunAs user $user does not exist"
        exit 1
    fi
    useradd -m -s /bin/sh "$user" >/dev/null 2>&1 || adduser -D -s /bin/sh "$user" >/dev/null 2>&1 || {
        echo "the user $user cannot be made here"
        exit 1
    }
fi
if [ "$user" = ssm-user ] && [ -d /etc/sudoers.d ] && [ ! -e /etc/sudoers.d/ssm-agent-users ]; then
    (umask 337; echo 'ssm-user ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ssm-agent-users)
fi
home=$(getent passwd "$user" 2>/dev/null | cut -d: -f6)
cd /usr/bin 2>/dev/null || cd /
export HOME="${home:-/}" USER="$user" LOGNAME="$user" SHELL=/bin/sh
exec setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
"""


def _command(user: str, argv: tuple[str, ...]) -> Command:
    env = {"TERM": "xterm-256color", "LANG": "C.UTF-8"}
    if user == "root":
        return Command(argv=argv, env={**env, "HOME": "/root", "USER": "root", "LOGNAME": "root"}, cwd="/")
    return Command(argv=("/bin/sh", "-c", _AS_USER, "session", user, *argv), env=env)


def shell(user: str) -> Command:
    """A shell of a user's."""
    return _command(user or SSM_USER, ("/bin/sh",))


def commands(user: str, properties: dict[str, Any]) -> Command:
    """The commands of an InteractiveCommands or NonInteractiveCommands document."""
    linux = properties.get("linux") or {}
    given = linux.get("commands") or ""
    text = " ".join(str(one) for one in given) if isinstance(given, list) else str(given)
    elevated = str(linux.get("runAsElevated")).lower() == "true"
    return _command("root" if elevated else user or SSM_USER, ("/bin/sh", "-c", text))


def separate(properties: dict[str, Any]) -> bool:
    """Whether errors go a way of their own, and the exit code is told."""
    return str((properties.get("linux") or {}).get("separateOutputStream")).lower() == "true"
