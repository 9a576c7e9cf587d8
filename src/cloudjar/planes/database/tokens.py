"""Logging in to PostgreSQL by a token instead of a password, as texts: what asks the host inside the guest (pure).

Members of the role ``rds_iam`` come by PAM, over TLS alone. The engine's PAM runs a script that hands the host, at a
socket that it listens at in the guest's own network (`doors`), who comes and with which token; the host says yes or no.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudjar.planes.database import releases

if TYPE_CHECKING:
    from cloudjar.planes.database.port import Engine

ROLE = "rds_iam"
SOCKET = "cloudjar database access"
"""The name of the socket, in the abstract namespace of the guest's network."""
_SERVICE = "rds"

ASK = f"""#!/usr/bin/perl
# Run by PAM: asks the host whether whoever comes with this token may come in. Whatever fails, nobody does.
use strict;
use Socket;
alarm 20;
my $said = "";
socket(my $line, PF_UNIX, SOCK_STREAM, 0) or exit 1;
connect($line, pack_sockaddr_un("\\0{SOCKET}")) or exit 1;
my $asked = join("\\0", $ENV{{PAM_USER}} // "", $ENV{{PAM_AUTHTOK}} // "");
syswrite($line, $asked) == length($asked) or exit 1;
shutdown($line, 1);
sysread($line, $said, 8);
exit($said eq "yes\\n" ? 0 : 1);
"""

BAKE = f"""set -eu
rm -f "$1/etc/pam.d/{_SERVICE}"
cat >"$1/etc/pam.d/{_SERVICE}" <<'END'
auth required pam_script.so dir=/usr/libexec/cloudjar onerr=fail
account required pam_permit.so
END
"""

TOOLS = {"pam_script_auth": ASK}
PACKAGE = "libpam-script"
"""Of the distribution: ``pam_exec`` hands on 512 bytes of a password, which no session's token fits into."""


def understood(kind: str, release: str) -> bool:
    """Whether a release of an engine can let anybody in by a token: those of a registry are built without PAM."""
    known = releases.RELEASES.get((kind, release))
    return kind == "postgres" and known is not None and known.pin is None


def admission(engine: Engine) -> str:
    """Lines of ``pg_hba.conf``: whoever is in the role comes by a token, and by nothing else."""
    if not understood("postgres", engine.release or engine.major):
        return f"hostssl all +{ROLE} all reject\n"
    mine = ""
    if int(engine.major) >= 16:  # who hands the role on is in it, there: the master himself keeps his password
        name = engine.master.replace('"', '""')
        mine = f'{"hostssl" if engine.needs_tls else "host"} all "{name}" all scram-sha-256\n'
    return f"{mine}hostssl all +{ROLE} all pam pamservice={_SERVICE}\n"
