#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the hand-made seeds of the fuzz targets for rpcbind: a directory of corpus for each.

Run by hand when the procedures change; what the fuzzer found is kept beside them as found-*.
warmstart/{rpcb,pmap}-stock are files that rpcbind 1.2.6 wrote.
"""
import os
import struct

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")

# Control bytes of fuzz_proc.c: the caller, and what may be done.
ROOT, USER, LO_UDP, LO_TCP6, UDP, UDP6, TCP, LO_UNKNOWN = range(8)
INSECURE, REMOTE, SMALL, NO_VS, GROW = 0x08, 0x10, 0x20, 0x40, 0x80


def u32(*values):
    return b"".join(struct.pack(">I", v & 0xFFFFFFFF) for v in values)


def opaque(data):
    return u32(len(data)) + data + b"\0" * (-len(data) % 4)


def string(text):
    return opaque(text.encode())


def call(vers, proc, args=b"", prog=100000, rpcvers=2, cred=u32(0, 0), verf=u32(0, 0)):
    return u32(0x12345678, 0, rpcvers, prog, vers, proc) + cred + verf + args


def pmap(prog=300, vers=1, prot=17, port=2049):
    return u32(prog, vers, prot, port)


def rpcb(prog=300, vers=1, netid="udp", addr="0.0.0.0.8.1", owner="superuser"):
    return u32(prog, vers) + string(netid) + string(addr) + string(owner)


def rmtcall(prog=300, vers=1, proc=1, args=b"argument"):
    return u32(prog, vers, proc) + opaque(args)


def auth_sys(machine="host", gids=(0, 4), uid=1000):
    return u32(1) + opaque(u32(1) + string(machine) + u32(uid, uid, len(gids), *gids))


def message(control, msg):
    return struct.pack(">BH", control, len(msg)) + msg


def write(target, name, data):
    path = os.path.join(TOP, target)
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, name), "wb") as file:
        file.write(data)


def proc(name, *messages):
    write("proc", name, b"".join(message(c, m) for c, m in messages))


SOCKADDR_IN = struct.pack("=H", 2) + struct.pack(">H4s8x", 2049, bytes([10, 1, 2, 3]))
SOCKADDR_IN6 = struct.pack("=H", 10) + struct.pack(">HI16sI", 2049, 0, b"\xfd" + b"\0" * 14 + b"\1", 0)
SOCKADDR_UN = struct.pack("=H108s", 1, b"/run/x")


def netbuf(data):
    return u32(len(data)) + opaque(data)


def valid():
    """Each procedure of each version, from a caller it makes sense for."""
    for vers in (2, 3, 4):
        proc("v%d-null" % vers, (UDP, call(vers, 0)), (LO_TCP6, call(vers, 0)))
        proc("v%d-dump" % vers, (UDP, call(vers, 4)), (UDP | SMALL, call(vers, 4)),
             (ROOT | GROW, call(vers, 4)))
        proc("v%d-callit" % vers, (UDP | REMOTE, call(vers, 5, rmtcall())),
             (UDP, call(vers, 5, rmtcall())), (TCP | REMOTE, call(vers, 5, rmtcall())))
    proc("v2-set-unset", (ROOT, call(2, 1, pmap(400))), (LO_UDP, call(2, 1, pmap(400))),
         (USER, call(2, 2, pmap(400))), (ROOT, call(2, 2, pmap(400))))
    proc("v2-getport", *[(who, call(2, 3, pmap(300, v))) for who in range(8) for v in (1, 9)])
    for vers in (3, 4):
        proc("v%d-set-unset" % vers, (USER, call(vers, 1, rpcb(400))),
             (USER, call(vers, 1, rpcb(400, 1, "tcp6", "fd00::1.8.1"))),
             (ROOT, call(vers, 1, rpcb(400, 1, "local", "/run/y"))),
             (USER, call(vers, 2, rpcb(400, 1, "udp", ""))),
             (LO_TCP6, call(vers, 2, rpcb(400, 1, "tcp6", "fd00::1.8.1"))),
             (ROOT, call(vers, 2, rpcb(400, 1, "", ""))))
        proc("v%d-getaddr" % vers,
             *[(who, call(vers, 3, rpcb(300, v, "", ""))) for who in range(8) for v in (1, 9)])
        proc("v%d-gettime" % vers, (UDP, call(vers, 6)))
        for who, text, addr in ((UDP, "10.1.2.3.8.1", SOCKADDR_IN), (UDP6, "fd00::1.8.1", SOCKADDR_IN6),
                                (ROOT, "/run/x", SOCKADDR_UN), (ROOT, "@/run/x", SOCKADDR_UN)):
            proc("v%d-taddr-%d%s" % (vers, who, "a" if text[0] == "@" else ""),
                 (who, call(vers, 7, string(text))), (who, call(vers, 8, netbuf(addr))))
    proc("v4-getversaddr", (UDP, call(4, 9, rpcb())), (UDP, call(4, 9, rpcb(300, 9))))
    proc("v4-indirect", (UDP | REMOTE, call(4, 10, rmtcall())), (UDP, call(4, 10, rmtcall())),
         (TCP, call(4, 10, rmtcall())), (UDP | REMOTE, call(4, 10, rmtcall(300, 9))),
         (UDP | REMOTE, call(4, 10, rmtcall(999))))
    proc("v4-getaddrlist", *[(who, call(4, 11, rpcb(300, 1 + who % 3))) for who in range(8)])
    proc("v4-getstat", (UDP, call(2, 3, pmap())), (UDP6, call(4, 3, rpcb())),
         (UDP | REMOTE, call(4, 10, rmtcall())), (UDP, call(4, 12)), (UDP | SMALL, call(4, 12)))


def truncated():
    """Calls cut inside the header, at each field of the arguments, and inside a padding."""
    proc("cut-header", *[(UDP, call(4, 0)[:n]) for n in range(0, 40, 3)])
    proc("cut-header-auth-sys", *[(UDP, call(4, 0, cred=auth_sys())[:n]) for n in range(24, 80, 3)])
    for vers, number, args in ((2, 1, pmap()), (2, 2, pmap()), (2, 3, pmap()), (2, 5, rmtcall()),
                               (3, 1, rpcb()), (3, 2, rpcb()), (3, 3, rpcb()), (3, 5, rmtcall()),
                               (3, 7, string("10.1.2.3.8.1")), (3, 8, netbuf(SOCKADDR_IN)),
                               (4, 1, rpcb()), (4, 2, rpcb()), (4, 3, rpcb()), (4, 5, rmtcall()),
                               (4, 7, string("10.1.2.3.8.1")), (4, 8, netbuf(SOCKADDR_IN)),
                               (4, 9, rpcb()), (4, 10, rmtcall()), (4, 11, rpcb())):
        whole = call(vers, number, args)
        proc("cut-v%d-%d" % (vers, number),
             *[(LO_UDP | REMOTE, whole[:n]) for n in range(40, len(whole), 3)])


def attacks():
    """What stock rpcbind was tried with."""
    huge = (0xFFFFFFFF, 0xFFFFFFF0, 0x7FFFFFFF, 0x40000000, 9001)
    proc("rpcbomb-netid", *[(UDP, call(4, 3, u32(300, 1, n) + b"udp\0")) for n in huge])
    proc("rpcbomb-addr", *[(UDP, call(4, 3, u32(300, 1) + string("udp") + u32(n))) for n in huge])
    proc("rpcbomb-owner",
         *[(ROOT, call(4, 1, u32(300, 1) + string("udp") + string("") + u32(n))) for n in huge])
    proc("rpcbomb-netbuf", *[(UDP, call(4, 8, u32(n, n) + SOCKADDR_IN)) for n in huge],
         *[(UDP, call(4, 8, u32(16, n) + SOCKADDR_IN)) for n in huge])
    proc("rpcbomb-uaddr", *[(UDP, call(4, 7, u32(n) + b"10.1.2.3.8.1")) for n in huge])
    proc("callit-length", *[(UDP | REMOTE, call(2, 5, u32(300, 1, 1, n) + b"args")) for n in huge])
    proc("auth-length", *[(UDP, call(4, 0, cred=u32(f, n))) for f in (0, 1, 6) for n in huge + (401,)],
         *[(UDP, call(4, 0, verf=u32(0, n))) for n in huge + (401,)])
    proc("auth-flavours", *[(UDP, call(4, 0, cred=u32(f) + opaque(b"12345678"))) for f in range(9)])
    proc("auth-sys", (UDP, call(4, 0, cred=auth_sys())), (UDP, call(4, 0, cred=auth_sys(gids=range(16)))),
         (UDP, call(4, 0, cred=auth_sys(gids=range(17)))), (UDP, call(4, 0, cred=auth_sys("m" * 256))),
         (UDP, call(4, 0, cred=u32(1) + opaque(u32(1, 0xFFFFFFFF, 0, 0, 0)))),
         (UDP, call(4, 0, cred=u32(1) + opaque(u32(1, 0, 0, 0, 0xFFFFFFFF)))))
    proc("rpc-version", (UDP, call(4, 0, rpcvers=3)), (UDP, call(4, 0, rpcvers=0)))
    proc("program-version", (UDP, call(1, 0)), (UDP, call(5, 0)), (UDP, call(3, 0, prog=100003)),
         (UDP, call(2, 6)), (UDP, call(3, 9)), (UDP, call(4, 13)), (UDP, call(4, -1)))
    proc("no-call", (UDP, u32(1, 1, 0, 0, 0, 0, 0)), (UDP, b""), (UDP, b"\xff" * 60))
    proc("no-vs", *[(ROOT | NO_VS, call(4, n, rpcb())) for n in range(13)])
    proc("set-from-outside", *[(who, call(v, 1, rpcb() if v > 2 else pmap()))
                               for who in (UDP, UDP6, TCP, LO_UNKNOWN) for v in (2, 3, 4)])
    proc("set-insecure", (UDP | INSECURE, call(4, 1, rpcb(500))), (UDP | INSECURE, call(4, 2, rpcb(500))),
         (USER, call(4, 2, rpcb(500))), (ROOT, call(4, 2, rpcb(500, 1, "", ""))))
    proc("set-garbage", *[(ROOT, call(4, 1, rpcb(600, 1, netid, addr))) for netid, addr in (
        ("udp", "999.1.1.1.999.999"), ("udp", ""), ("", "0.0.0.0.8.1"), ("udp", "0.0.0.0.0.0"),
        ("sctp", "0.0.0.0.8.1"), ("udp\0x", "0.0.0.0.8.1"), ("\u20ac", "0.0.0.0.8.1"),
        ("tcp6", "fe80::1%lo.8.1"), ("local", "/\x1b[2J"), ("x" * 31, ""), ("x" * 32, ""),
        ("udp", "y" * 127), ("udp", "y" * 128))], (ROOT, call(4, 1, rpcb(600, owner="z" * 2000))))
    proc("set-rpcbind", (ROOT, call(4, 1, rpcb(100000, 9))), (ROOT, call(4, 2, rpcb(100000, 4, "", ""))),
         (ROOT, call(2, 2, pmap(100000, 2))), (ROOT, call(2, 1, pmap(100000, 9))))
    proc("set-hijack", (USER, call(4, 1, rpcb(300, 1, "udp", "10.77.0.5.8.1"))),
         (USER, call(4, 2, rpcb(300, 1, "udp", ""))), (USER, call(4, 1, rpcb(300, 2, "udp"))),
         (UDP, call(4, 3, rpcb(300, 7))))
    proc("set-hosts", *[(ROOT, call(4, 1, rpcb(700, 1, "udp", "10.0.0.%d.8.%d" % (n, n % 3))))
                        for n in range(12)], (UDP, call(2, 4)),
         (ROOT, call(4, 2, rpcb(700, 1, "", "10.0.0.0.8.0"))), (ROOT, call(2, 4)),
         (ROOT, call(2, 2, pmap(700))), (ROOT, call(2, 4)))
    proc("set-port", *[(ROOT, call(2, 1, pmap(800 + n, 1, prot, port))) for n, (prot, port) in enumerate(
        ((17, 0), (17, 65535), (17, 65536), (6, -1), (0, 1), (132, 1), (273, 1)))])
    proc("set-limit", *[(who, call(2, 1, pmap(900 + n))) for who in (USER, ROOT) for n in range(who * 20, 45)])
    proc("callit-barred", *[(UDP | REMOTE, call(4, 10, rmtcall(prog, 1, n))) for prog in (
        100000, 100003, 100004, 100005, 100007, 100009, 100029) for n in (0, 1, 2, 3)])
    proc("stats-flood", *[(UDP, call(2, 3, pmap(n * 7919, n))) for n in range(300)], (UDP, call(4, 12)),
         (UDP | GROW, call(4, 12)))
    proc("trailing", (UDP, call(2, 3, pmap() + b"tail")), (UDP, call(4, 0, b"tail!")))


def reply(stat=0, body=b"", verf=u32(0, 0), direction=1, reply_stat=0):
    return u32(1, direction, reply_stat) + verf + u32(stat) + body


def forwards():
    replies = {
        "success": reply(0, b"results!"), "empty": reply(0), "odd": reply(0, b"odd"),
        "prog-unavail": reply(1), "prog-mismatch": reply(2, u32(5, 6)), "mismatch-cut": reply(2, u32(5)),
        "proc-unavail": reply(3), "garbage": reply(4), "system": reply(5), "unheard": reply(6),
        "denied-auth": u32(1, 1, 1, 1, 5), "denied-rpc": u32(1, 1, 1, 0, 2, 2), "call": call(1, 0),
        "verf": reply(0, b"results!", u32(1) + opaque(b"verifier")),
        "verf-long": reply(0, b"results!", u32(1, 401)), "verf-huge": reply(0, b"", u32(1, -1)),
        "big": reply(0, b"x" * 2000), "none": b"",
    }
    for name, msg in replies.items():
        for kind in (0, 3):
            write("forward", "%s-%d" % (name, kind), bytes([kind]) + msg)
    for n in range(0, 32, 5):
        write("forward", "cut-%d" % n, bytes([3]) + replies["success"][:n])
    for text in range(4):
        write("forward", "text-%d" % text, bytes([text << 2]) + replies["success"])
        write("forward", "small-%d" % text, bytes([text << 2 | 0x13]) + replies["big"])


def uaddrs():
    texts = (
        "10.77.0.1.8.1", "0.0.0.0.0.0", "255.255.255.255.255.255", "1.2.3.4", "1.2.3.4.5", "1.2.3.4.256.1",
        "999.1.1.1.999.999", "01.2.3.4.5.6", "1.2.3.4.-1.6", "1.2.3.4.+5.6", "....", "", "::.0.111",
        "fd00::1.8.1", "::ffff:1.2.3.4.8.1", "fe80::1%lo.8.1", "1:2:3:4:5:6:7:8.255.255",
        "/run/rpcbind.sock", "@/run/rpcbind.sock", "/" + "x" * 106, "/" + "x" * 107, "/run/\x1b[2J",
        "udp", "TCP6", "unix", "sctp6")
    for n, text in enumerate(texts):
        family = 2 if text[:1] in ("/", "@") else 1 if ":" in text else 0
        write("uaddr", "text-%02d" % n, bytes([family]) + text.encode())
    mapped = struct.pack("=H", 10) + struct.pack(">HI16sI", 1, 0, b"\0" * 10 + b"\xff\xff\1\2\3\4", 0)
    for name, addr in (("in", SOCKADDR_IN), ("in6", SOCKADDR_IN6), ("un", SOCKADDR_UN), ("mapped", mapped)):
        write("uaddr", "sockaddr-" + name, bytes([4]) + addr)
        write("uaddr", "sockaddr-cut-" + name, bytes([4]) + addr[:-1])


def records():
    def fragment(data, last=True, length=None):
        return u32((0x80000000 if last else 0) | (len(data) if length is None else length)) + data

    null = call(2, 0)
    streams = {
        "one": fragment(null), "two": fragment(null) + fragment(call(4, 4)),
        "fragments": fragment(null[:10], False) + fragment(null[10:11], False) + fragment(null[11:]),
        "empty-last": fragment(b""), "empty-first": fragment(b"", False) + fragment(null),
        "empty-between": fragment(null[:4], False) + fragment(b"", False) + fragment(null[4:]),
        "empty-end": fragment(null, False) + fragment(b""),
        "empties": fragment(b"", False) * 50 + fragment(null), "half": fragment(null)[:20],
        "half-header": fragment(null) + b"\x80\0", "too-long": fragment(null, True, 16385),
        "much-too-long": fragment(null, True, 0x7FFFFFFF), "longest": fragment(b"x" * 16384),
        "sum-too-long": fragment(b"x" * 9000, False) + fragment(b"y" * 9000),
        "garbage": b"GET / HTTP/1.0\r\n\r\n",
    }
    for name, stream in streams.items():
        for size in (1, 7):
            write("record", "%s-%d" % (name, size), bytes([size - 1]) + stream)


def journals():
    """Bodies of records of a state file, in the byte order of this machine, each after its length."""
    def set_body(prog=300, vers=1, netids=1 << 1, text="0.0.0.0.8.1", superuser=1, uid=0, kind=1, tail=b"\0"):
        data = text.encode()
        return struct.pack("=BIIIBII", kind, prog, vers, netids, superuser, uid, len(data)) + data + tail

    def unset_body(prog=300, vers=1, netids=0xFFFFFFFF, family=0, host=b"", kind=2):
        return struct.pack("=BIIIB16s", kind, prog, vers, netids, family, host)

    def file(name, *bodies, raw=b""):
        write("journal", name, b"".join(bytes([len(b)]) + b for b in bodies) + (b"\0" + raw if raw else b""))

    file("empty")
    file("set", set_body())
    file("sets", *[set_body(300 + n, n, 1 << (n % 9 + 1), ("0.0.0.0.8.1", "::.8.1", "/run/x")[
        (0, 0, 1, 1, 2, 0, 1, 0, 1)[n % 9]], n % 2, 1000 + n) for n in range(9)])
    file("hosts", *[set_body(text="10.0.0.%d.8.%d" % (n, n % 3)) for n in range(9)],
         unset_body(family=4, host=bytes([10, 0, 0, 3])), unset_body(family=6), unset_body(family=1), unset_body())
    file("set-unset", set_body(), unset_body(), set_body(text="0.0.0.0.8.2"), unset_body(netids=6))
    file("twice", set_body(), set_body())
    file("conflict", set_body(), set_body(text="0.0.0.0.8.2"), set_body(301))
    file("limit", *[set_body(300 + n) for n in range(50)])
    file("rpcbind", set_body(100000, 9))
    file("rpcbind-unset", unset_body(100000))
    file("kinds", *[set_body(300, kind=n) for n in (1, 3)])
    for n, netids in enumerate((0, 1, 3, 6, 1 << 10, 1 << 31)):
        file("netids-%d" % n, set_body(netids=netids))
    for n, text in enumerate(("", "nonsense", "0.0.0.0.0.0", "/" + "x" * 126, "0.0.0.0.8.1\0")):
        file("text-%d" % n, set_body(text=text))
    file("no-nul", set_body(tail=b""))
    file("trailing", set_body(tail=b"\0x"))
    file("unset-cut", unset_body()[:-1])
    file("unset-family", unset_body(family=9))
    for n in range(0, 12, 3):
        file("raw-%d" % n, set_body(), raw=struct.pack("=II", 0xFFFFFFFF if n else 5, 0)[:n] or b"x")


def hosts_access():
    files = (
        "", "# comment\n\n", "ALL: ALL\n", "ALL: ALL", "rpcbind, sshd: 10.1. 192.0.2.0/24 [fd00::1]/64\n",
        "ALL EXCEPT sshd EXCEPT rpc*: 10.0.0.0/255.0.0.0: deny\n", "rpcbind@ALL: 10.1.1.1/32 : ALLOW\r\n",
        "rpcbind: [fd00::]/0 [::1] : severity info: allow\n", "rpc?ind\\\n: \\\nALL\\\n", "ALL: [fd00\n",
        "ALL: LOCAL, .example.org @group user@host /file 10.* EXCEPT x\n", "ALL: \0\n", "\\\n\\\n\\",
        "a:" + " " * 2100 + "\n", "ALL: " + "1.2.3.4 " * 100 + "\n" + "ALL: " + "1.2.3. " * 200 + "\n")
    for n, text in enumerate(files):
        for allow in (0, 1):
            write("hosts_access", "file-%02d-%d" % (n, allow), bytes([allow]) + text.encode())
    rules = ("allow all any", "deny dump,getstat 10.1.0.0/16", "deny set ::/0", "allow all ::ffff:0:0/96",
             "deny all 1.2.3.4/24", "deny all 0.0.0.0/0", "deny", "allow dump, any", "x" * 200)
    for n, text in enumerate(rules):
        write("hosts_access", "rule-%02d" % n, b"\2" + text.encode())


def warmstarts():
    def listed(*entries):
        return b"".join(u32(1) + e for e in entries) + u32(0)

    rpcbs = listed(rpcb(100000, 4, "tcp6", "::.0.111"), rpcb(), rpcb(300, 2, "local", "/run/x", "1000"))
    pmaps = listed(pmap(100000, 2, 6, 111), pmap(), pmap(301, 1, 6, 4711))
    lists = {
        "empty": u32(0), "none": b"", "rpcb": rpcbs, "pmap": pmaps, "trailing": rpcbs + b"tail",
        "more": u32(2) + rpcb() + u32(0), "negative": u32(-1) + rpcb() + u32(0),
        "long-netid": listed(rpcb(netid="x" * 31), rpcb(netid="x" * 32), rpcb(netid="x" * 9000)),
        "long-addr": listed(rpcb(addr="/" * 127, netid="local"), rpcb(addr="y" * 128), rpcb(addr="y" * 9001)),
        "owners": listed(*[rpcb(300 + n, owner=o) for n, o in enumerate(
            ("superuser", "unknown", "0", "4294967294", "4294967295", "-1", " 1", "\n", "o" * 99, ""))]),
        "binary": listed(rpcb(netid="udp\0x"), rpcb(addr="0.0.0.0.8.1\0"), rpcb(addr="\x1b[2J"),
                         rpcb(netid="\u20ac")),
        "lengths": u32(1, 300, 1, -1) + b"udp\0", "length-end": u32(1, 300, 1, 0xFFFFFFFC) + b"udp\0",
        "netids": listed(*[rpcb(400 + n, 1, netid, addr) for n, (netid, addr) in enumerate((
            ("udp", ""), ("", "0.0.0.0.8.1"), ("sctp", "0.0.0.0.8.1"), ("udp6", "0.0.0.0.8.1"),
            ("udp", "999.1.1.1.999.999"), ("udp", "0.0.0.0.0.0"), ("UDP", "1.2.3.4.8.1")))]),
        "ports": listed(*[pmap(500 + n, 1, prot, port) for n, (prot, port) in enumerate((
            (6, 0), (6, 65535), (17, 65536), (17, -1), (132, 1), (0, 1), (-1, 1)))]),
        "again": listed(*[rpcb(600, 1, "udp", "10.0.0.%d.8.%d" % (n % 5, n % 3)) for n in range(20)]),
        "many": listed(*[pmap(700 + n) for n in range(1100)]),
    }
    for name, data in lists.items():
        write("warmstart", name, data)
    for kind, data in (("rpcb", rpcbs), ("pmap", pmaps)):
        for size in range(1, len(data), 7):
            write("warmstart", "cut-%s-%03d" % (kind, size), data[:size])


def network():
    """Control bytes of fuzz_network.c: a value of one key each, or a whole section."""
    values = [
        ["lo", "eth0", "eth1 move link ens3 mtu 9000", "x present", "a macvlan link b mode vepa",
         "v0 veth peer v0p master br0 mac 02:00:5e:10:00:01", "v9 vlan link e id 4094 protocol 802.1ad",
         "a veth", "a/b", "abcdefghijklmnop", "a mtu 1 mtu 2", "a mac 01:00:00:00:00:00"],
        ["10.0.0.5/24", "2001:db8::5/64 dev v0 nodad", "10.0.1.5/24 gateway 10.0.1.1", "::1/129",
         "10.0.0.1/24 gateway ::1", "::ffff:10.0.0.1", "10.0.0.1/-1", "10.0.0.1/24 dev"],
        ["10.7.0.0/16", "2001:db8::/32", "10.0.0.1/8", "0.0.0.0/0", "10.0.0.0/8 x"],
        ["10.0.0.1", "fe80::1 dev eth0", "192.0.2.1 dev a onlink", "10.0.0.1 src 10.0.0.2"],
        ["default via 10.0.0.1", "10.9.0.0/16 via 10.0.0.2 src 10.0.0.5 metric 5 mtu 1400",
         "unreachable 10.8.0.0/16", "blackhole 2001:db8::/48", "::/0 dev a", "default dev a",
         "10.0.0.0/8 dev a onlink", "10.0.0.0/8 dev a metric 4278198272"],
        ["net.ipv4.ip_forward = 1", "net/ipv4/conf/eth0.100/rp_filter=2",
         "net.ipv4.conf.eth0/100.rp_filter = 0", "net/../kernel/x=1", "net..a=1", "=1"],
        ["1", "0xc", "4294967295", "0x100000000", "0x", "00000000000000000000000000001"],
        ["10.0.0.5/24", "::/0", "1.2.3.4/33", "fe80::1%lo"],
    ]
    for which, texts in enumerate(values):
        for n, text in enumerate(texts):
            write("network", "value-%d-%02d" % (which, n), bytes([which]) + text.encode())
    namespace = ("Device=eth0 veth peer p\nDevice=v vlan link eth0 id 5\nAddress=10.0.0.5/24 dev eth0\n"
                 "Address=2001:db8::5/64 dev v\nGateway=10.0.0.1\nGateway=fe80::1 dev v\n"
                 "Route=10.9.0.0/16 via 10.0.0.2\nSysctl=net.ipv4.ip_forward = 1\nNftFile=/x\n")
    mark = ("Device=eth0\nAddress=10.0.0.5/24\nAddress=10.0.1.5/24 gateway 10.0.1.1\n"
            "Address=10.0.2.5/24 gateway 10.0.2.1 dev x\nPool=10.7.0.0/16\nGateway=10.0.0.1\n"
            "Route=10.5.0.0/16 dev x src 10.7.7.7\n")
    cycle = "Device=a macvlan link b\nDevice=b macvlan link c\nDevice=c vlan link a id 1\nDevice=d macvlan link a\n"
    again = "Address=10.0.0.5/8 dev lo\nAddress=\nAddress=10.0.0.5/8 dev lo\nAddress=10.0.0.5/9 dev lo\n"
    for name, text in (("namespace", namespace), ("mark", mark), ("cycle", cycle), ("again", again)):
        write("network", "section-" + name, b"\x08" + text.encode())
        write("network", "section-marked-" + name, b"\x09" + text.encode())


valid()
truncated()
attacks()
forwards()
journals()
records()
uaddrs()
hosts_access()
warmstarts()
network()
