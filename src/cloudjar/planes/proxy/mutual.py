"""Certificates of clients, in HAProxy's words; pure.

What the headers are: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cloudjar.planes.proxy.matching import token
from cloudjar.planes.proxy.port import CertificateFact, Clients, Node

FRONT = "X-Amzn-Mtls-"
HEADERS: dict[CertificateFact, str] = {
    "chain": f"{FRONT}Clientcert", "serial": f"{FRONT}Clientcert-Serial-Number", "issuer": f"{FRONT}Clientcert-Issuer",
    "subject": f"{FRONT}Clientcert-Subject", "validity": f"{FRONT}Clientcert-Validity",
    "leaf": f"{FRONT}Clientcert-Leaf",
}  # fmt: skip
_VALUES: dict[CertificateFact, str] = {
    "chain": "%[ssl_c_der,hex,lua.certificates]%[ssl_c_chain_der,hex,lua.certificates]",
    "serial": "%[ssl_c_serial,hex]", "issuer": "%[ssl_c_i_dn(,0,rfc2253)]", "subject": "%[ssl_c_s_dn(,0,rfc2253)]",
    "validity": "NotBefore=%[ssl_c_notbefore,lua.moment];NotAfter=%[ssl_c_notafter,lua.moment]",
    "leaf": "%[ssl_c_der,hex,lua.certificates]",
}  # fmt: skip
_EXPIRED, _NO_LIST, _ANCHOR = 10, 3, 2
"""Errors of OpenSSL's verification: too old; no revocation list of an authority; an authority in the bundle whose own
is not there, which is none here: whoever is in it is trusted."""

SCRIPT = """local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(data)
  local out = {}
  for i = 1, #data, 3 do
    local a, b, c = data:byte(i, i + 2)
    local n, four = a * 65536 + (b or 0) * 256 + (c or 0), ""
    for shift = 18, 0, -6 do
      local at = (n >> shift) & 63
      four = four .. letters:sub(at + 1, at + 1)
    end
    if not b then four = four:sub(1, 2) .. "==" elseif not c then four = four:sub(1, 3) .. "=" end
    out[#out + 1] = four
  end
  return table.concat(out)
end

local function size(data, at)
  local first = data:byte(at + 1)
  if first < 128 then return 2 + first end
  local n = 0
  for i = 1, first - 128 do n = n * 256 + data:byte(at + 1 + i) end
  return 2 + first - 128 + n
end

core.register_converters("certificates", function(hex)
  local data = hex:gsub("..", function(two) return string.char(tonumber(two, 16)) end)
  local out, at = {}, 1
  while at < #data do
    local long = size(data, at)
    local lines = base64(data:sub(at, at + long - 1)):gsub(("."):rep(64), "%0%%0A"):gsub("%%0A$", "")
    out[#out + 1] = "-----BEGIN%20CERTIFICATE-----%0A" .. lines .. "%0A-----END%20CERTIFICATE-----%0A"
    at = at + long
  end
  return table.concat(out)
end)

core.register_converters("moment", function(text)
  return (text:gsub("^(..)(..)(..)(..)(..)(..)Z?$", "20%1-%2-%3T%4:%5:%6Z"))
end)
"""
"""Certificates as PEM whose line ends and blanks are escaped, and moments as ISO 8601 has them."""
SCRIPT_FILE = "certificates.lua"


def asking(node: Node) -> bool:
    """Whether clients are asked for certificates at some listener."""
    return any(listener.clients for listener in node.listeners)


def loading(node: Node, folder: str) -> Iterator[str]:
    """Global lines."""
    if asking(node):
        yield f"lua-load {folder}/{SCRIPT_FILE}"
        yield "tune.ssl.cachesize 0"


def files(node: Node) -> dict[str, str]:
    """What listeners trust, and the script that writes headers."""
    made = {SCRIPT_FILE: SCRIPT} if asking(node) else {}
    for listener in node.listeners:
        if listener.clients is not None and listener.certificates:
            made[f"{listener.port}.authorities"] = listener.clients.authorities or _body(listener.certificates[0])
            if listener.clients.revoked:
                made[f"{listener.port}.revoked"] = listener.clients.revoked
    return made


def _body(pem: str) -> str:
    """Its certificates without the key: who trusts everybody must trust somebody by name."""
    whole = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", pem, re.DOTALL)
    return "".join(whole)


def bind_words(port: int, clients: Clients, folder: str) -> str:
    """What a ``bind`` says of clients' certificates."""
    words = [f"ca-file {folder}/{port}.authorities", "no-tls-tickets"]
    if not clients.advertises:
        words.append("no-ca-names")
    if not clients.verifies:
        return " ".join((*words, "verify optional ca-ignore-err all crt-ignore-err all"))
    passed = [_EXPIRED] if clients.expired_too else []
    if clients.revoked:
        words.append(f"crl-file {folder}/{port}.revoked")
        passed.append(_NO_LIST)
    above = f"{_ANCHOR},{_NO_LIST}" if clients.revoked else f"{_ANCHOR}"
    words.append(f"verify required ca-ignore-err {above}")
    if passed:
        words.append(f"crt-ignore-err {','.join(map(str, passed))}")
    return " ".join(words)


def told(clients: Clients) -> Iterator[str]:
    """What targets are told; whatever a client says of himself by these names is not."""
    renamed = dict(clients.renamed)
    for name in renamed.values():
        yield f"http-request del-header {token(name)}"
    yield f"http-request del-header {FRONT} -m beg"
    for fact, value in _VALUES.items():
        if (fact == "chain") != clients.verifies:
            name = token(renamed.get(fact, HEADERS[fact]))
            yield f"http-request set-header {name} '{value}' if {{ ssl_c_used }}"
