"""The catalogue of machine images: how each is made, as data (pure).

Names, users and package lists follow what the distributions publish for EC2:
https://wiki.debian.org/Cloud/AmazonEC2Image, https://documentation.ubuntu.com/aws/,
https://docs.aws.amazon.com/linux/al2023/ug/.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import msgspec

RECIPES_FOLDER = Path(__file__).with_name("image")


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One image: `tool` builds `release` from `mirror`; `probe` is a small file there that shows it is reachable."""

    key: str
    title: str
    tool: str
    tool_package: str
    release: str
    mirror: str
    probe: str
    user: str
    gecos: str
    groups: str
    keyring: str = ""
    keyring_package: str = ""
    suites: tuple[str, ...] = ()
    security: str = ""
    components: tuple[str, ...] = ()


RECIPES: dict[str, Recipe] = {
    recipe.key: recipe
    for recipe in (
        Recipe(
            key="debian-12",
            title="Debian 12 (bookworm)",
            tool="mmdebstrap",
            tool_package="mmdebstrap",
            release="bookworm",
            mirror="http://deb.debian.org/debian",
            security="http://deb.debian.org/debian-security",
            probe="dists/bookworm/InRelease",
            suites=("bookworm", "bookworm-updates", "bookworm-security"),
            components=("main",),
            keyring="/usr/share/keyrings/debian-archive-keyring.gpg",
            keyring_package="debian-archive-keyring",
            user="admin",
            gecos="Debian",
            groups="adm, audio, cdrom, dialout, dip, floppy, netdev, plugdev, sudo, video",
        ),
        Recipe(
            key="ubuntu-24.04",
            title="Ubuntu 24.04 LTS (Noble Numbat)",
            tool="mmdebstrap",
            tool_package="mmdebstrap",
            release="noble",
            mirror="http://archive.ubuntu.com/ubuntu",
            security="http://security.ubuntu.com/ubuntu",
            probe="dists/noble/InRelease",
            suites=("noble", "noble-updates", "noble-security"),
            components=("main", "universe"),
            keyring="/usr/share/keyrings/ubuntu-archive-keyring.gpg",
            keyring_package="ubuntu-keyring",
            user="ubuntu",
            gecos="Ubuntu",
            groups="adm, cdrom, dip, lxd, sudo",
        ),
        Recipe(
            key="al2023",
            title="Amazon Linux 2023",
            tool="dnf",
            tool_package="dnf",
            release="latest",
            mirror="https://cdn.amazonlinux.com/al2023/core/mirrors",
            probe="latest/{machine}/mirror.list",
            user="ec2-user",
            gecos="EC2 Default User",
            groups="adm, systemd-journal, wheel",
        ),
    )
}


def packages(recipe: Recipe, folder: Path = RECIPES_FOLDER) -> list[str]:
    """The packages of an image, in the order written."""
    lines = (folder / recipe.key / "packages").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def recipe_hash(recipe: Recipe, machine: str, folder: Path = RECIPES_FOLDER) -> str:
    """Twelve hex digits over everything that decides what an image becomes, the mirror's address excepted."""
    digest = hashlib.sha256(machine.encode())
    digest.update(msgspec.json.encode(msgspec.structs.replace(recipe, mirror="", security="")))
    for part in (folder / "common", folder / recipe.key):
        for file in sorted(p for p in part.rglob("*") if p.is_file() and not p.name.endswith((".pyc", "~"))):
            digest.update(f"{file.relative_to(folder)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def apt_lines(recipe: Recipe, host_sources: dict[str, str]) -> list[str]:
    """The image's apt sources; `host_sources` are the mirrors that this host itself uses, by suite."""
    lines = []
    for suite in recipe.suites:
        default = recipe.security if suite.endswith("-security") else recipe.mirror
        lines.append(f"deb {host_sources.get(suite, default)} {suite} {' '.join(recipe.components)}")
    return lines


def parse_apt_sources(one_line: str, deb822: str) -> dict[str, str]:
    """Mirrors by suite from the texts of ``*.list`` and ``*.sources`` files; first mention wins."""
    found: dict[str, str] = {}
    for line in one_line.splitlines():
        match = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line.strip())
        if match and match[1].startswith(("http:", "https:")):
            found.setdefault(match[2], match[1])
    for stanza in re.split(r"\n\s*\n", deb822):
        fields = {}
        for line in stanza.splitlines():
            name, colon, value = line.partition(":")
            if colon and not line.startswith(("#", " ", "\t")):
                fields[name.strip().lower()] = value.split()
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        uris = [uri for uri in fields.get("uris", []) if uri.startswith(("http:", "https:"))]
        for suite in fields.get("suites", []):
            if uris:
                found.setdefault(suite, uris[0])
    return {suite: uri.rstrip("/") for suite, uri in found.items()}


# Settings of the host's apt that decide whether it can reach or believe its mirrors at all.
_CARRIED = re.compile(
    r'^Acquire::(https?::(Proxy|Timeout)|https?::Proxy::\S+|Check-Valid-Until|Check-Date|ForceIPv[46]|Retries) "(.*)";$'
)


def carried_options(config_dump: str) -> list[str]:
    """apt options to hand on, from the text of ``apt-config dump``; a proxy on loopback is the host's alone."""
    options = []
    for line in config_dump.splitlines():
        match = _CARRIED.match(line.strip())
        if match and match[3]:
            options.append(line.strip().rstrip(";"))
    return options


def is_host_only(option: str) -> bool:
    """True for a proxy that a guest could not reach: it names the host's loopback."""
    return bool(re.search(r'Proxy.*"\w+://(localhost|127\.|\[::1\])', option))
