"""What no client should send: heads of requests, bodies, content types."""

from __future__ import annotations

import struct

FORM = "application/x-www-form-urlencoded; charset=utf-8"
BIG = b"x" * 70_000
HEADS = (
    b"",
    b"\r\n\r\n\r\n",
    b"\x00" * 100,
    b"GET",
    b"GET /",
    b"GET / HTTP/1.1",
    b"GET / HTTP/1.1\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"get / http/1.1\r\n\r\n",
    b"G\x00T / HTTP/1.1\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET " + BIG + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + BIG + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1e3\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\ntoo short",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://ec2.amazonaws.com/?Action=DescribeVpcs HTTP/1.1\r\nHost: ec2.amazonaws.com\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%ff%00/../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /?%ff=%00&&&=== HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: " + b"a." * 300 + b"s3.amazonaws.com\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: AWS4-HMAC-SHA256 Credential=\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: AWS4-HMAC-SHA256 " + b"Credential=a/b/c/d/e," * 900 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: \xff\xff\xff\r\nX-Amz-Date: 99999999T999999Z\r\n\r\n",
    b"GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%00&X-Amz-Expires=1e99 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: aws-chunked\r\n"
    b"X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\r\n"
    b"X-Amz-Decoded-Content-Length: -7\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: a\r\nX-Amz-Target: " + b"a.b" * 999 + b"\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /service/x/operation/../../y HTTP/1.1\r\nHost: a\r\n"
    b"Smithy-Protocol: rpc-v2-cbor\r\nContent-Length: 0\r\n\r\n",
)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha">'
    + b"".join(f'<!ENTITY x{n} "{"&x" + str(n - 1 or "") + ";"} * 10">'.encode() for n in range(1, 40))
    + b"]><a>&x39;</a>"
)
BODIES = (
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"{",
    b"}",
    b"{}",
    b"[]",
    b"null",
    b"true",
    b"0",
    b'"text"',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"<",
    b"<a>" * 50_000,
    BOMB,
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    b"<a xmlns:b='c' b:d='e' b:d='f'/>",
    b"Action=",
    b"Action=&Version=",
    b"Action=%ff%fe",
    b"Action=DescribeVpcs&Action=RunInstances",
    b"=",
    b"&" * 100_000,
    b"&".join(b"a.%d=1" % n for n in range(20_000)),
    b"Filter" + b".1" * 20_000 + b"=x",
    b"\xd9\xd9\xf7" * 100,
    b"\x9f" * 5000,
    b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    struct.pack("<q", -1) * 100,
    b"1" * 1_000_000,
    b'{"MaxResults": 1' + b"0" * 5000 + b"}",
    b'{"MaxResults": 1e999}',
    b'{"MaxResults": NaN}',
    b'{"\\ud800": "\\udfff"}',
)
TYPES = (
    "",
    FORM,
    "application/x-amz-json-1.1",
    "application/xml",
    "application/cbor",
    "text/plain; charset=utf-16",
    "\u00ff/;;=",
)
