#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the hand-made seeds of fuzz_dns_message and fuzz_dns_name. Run by hand when they change."""
import os
import struct

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
A, NS, CNAME, SOA, PTR, AAAA, SRV, OPT = 1, 2, 5, 6, 12, 28, 33, 41
REPLY, TC = 0x8180, 0x0200
QNAME = b"\xc0\x0c"


def write(target, name, data):
    path = os.path.join(TOP, target)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as file:
        file.write(data)


def name(text):
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def rr(owner, rtype, data, ttl=300, rclass=1):
    return owner + struct.pack(">HHIH", rtype, rclass, ttl, len(data)) + data


def message(qname, qtype, sections=((), (), ()), flags=REPLY):
    head = struct.pack(">HHHHHH", 1, flags, 1, *(len(section) for section in sections))
    body = b"".join(b"".join(section) for section in sections)
    return head + name(qname) + struct.pack(">HH", qtype, 1) + body


def soa(minimum=60):
    return name("ns.x") + name("h.x") + struct.pack(">IIIII", 1, 2, 3, 4, minimum)


def messages():
    a4, a6 = b"\xc0\x00\x02\x01", b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\1"
    opt = rr(b"\0", OPT, b"", 0, 1232)
    chain = [rr(QNAME, CNAME, name("b.x")), rr(name("b.x"), CNAME, name("c.x")), rr(name("c.x"), A, a4)]
    long_chain = [rr(name("n%d" % n), CNAME, name("n%d" % (n + 1))) for n in range(18)]
    seeds = {
        "a": message("a.x", A, ([rr(QNAME, A, a4), rr(QNAME, A, a4, 0)], (), [opt])),
        "aaaa": message("a.x", AAAA, ([rr(QNAME, AAAA, a6, 0x80000001)], (), ())),
        "chain": message("a.x", A, (chain, (), ())),
        "chain-reversed": message("a.x", A, (chain[::-1], (), ())),
        "chain-long": message("n0", A, (long_chain, (), ())),
        "loop": message("a.x", A, ([rr(QNAME, CNAME, QNAME)], (), ())),
        "nodata": message("a.x", AAAA, ((), [rr(name("x"), SOA, soa())], ())),
        "nxdomain-cname": message("a.x", A, (chain[:2], [rr(name("x"), SOA, soa())], ()), REPLY | 3),
        "referral": message("a.x", A, ((), [rr(name("x"), NS, name("ns.x"))], [rr(name("ns.x"), A, a4)])),
        "srv": message("_l._tcp.x", SRV, ([rr(QNAME, SRV, struct.pack(">HHH", 1, 2, 389) + name("d.x"))],
                                          (), [rr(name("d.x"), A, a4), rr(name("d.x"), AAAA, a6)])),
        "ptr": message("1.2.0.192.in-addr.arpa", PTR, ([rr(QNAME, PTR, name("a.x"))], (), ())),
        "truncated": message("a.x", A, (chain, (), ()), REPLY | TC)[:50],
        "badvers": message("a.x", A, ((), (), [rr(b"\0", OPT, b"", 0x01000000, 1232)])),
        "opt-twice": message("a.x", A, ((), (), [opt, opt])),
        "short-a": message("a.x", A, ([rr(QNAME, A, a4[:3])], (), ())),
        "pointer-loop": message("a.x", A, ([rr(b"\xc0\x15", A, a4)], (), ())),
        "formerr": struct.pack(">HHHHHH", 1, REPLY | 1, 0, 0, 0, 0),
    }
    for key, data in seeds.items():
        write("dns_message", key, data)


def names():
    texts = ("", ".", "a.", "dc1.corp.example", "a\\.b.c", "\\000\\255\\\\", "a..b", "a\\", "a\\256",
             "x" * 63 + "." + "x" * 64, ".".join(["x" * 49] * 5), "127.0.0.1", "b\xfccher", "_ldap._tcp.x")
    for n, text in enumerate(texts):
        write("dns_name", "text-%02d" % n, b"\0" + text.encode("latin-1"))
    pad = b"\1" + b"." * 12
    for key, data in {
            "plain": name("www.example") + b"\4mail\xc0\x10" + b"\xc0\x19",
            "self": b"\xc0\x0c", "forward": b"\xc0\x0e\1a\0", "loop": b"\1a\xc0\x0c",
            "header": b"\1a\xc0\x03", "kinds": b"\x41a\0\x81a\0", "cut": b"\3ww",
            "long": b"\1a" * 127 + b"\0\1b\xc0\x0c\1b\xc0\x0e",
            "pointers": b"\0" + b"".join(struct.pack(">H", 0xc000 | (n and 11 + 2 * n or 12))
                                         for n in range(66))}.items():
        write("dns_name", "wire-" + key, pad + data)


if __name__ == "__main__":
    messages()
    names()
