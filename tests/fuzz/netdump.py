#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what the kernel tells of the network namespace that this runs in, as seeds of fuzz_netdump.

usage: netdump.py DIRECTORY NAME     (once in each state that is of interest)
"""
import os
import socket
import struct
import sys

RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE = 18, 22, 26, 34
DUMP = 0x301
DONE = 3


def dump(sock, kind):
    body = b"\0" * 12 if kind in (RTM_GETROUTE, RTM_GETRULE) else b"\0" * (16 if kind == 18 else 8)
    sock.send(struct.pack("=IHHII", 16 + len(body), kind, DUMP, 0, 0) + body)
    out = b""
    while True:
        data = sock.recv(65536)
        at = 0
        while at + 16 <= len(data):
            length, what = struct.unpack_from("=IH", data, at)
            if what == DONE:
                return out
            part = bytearray(data[at:at + length] + b"\0" * (-length % 4))
            part[8:16] = b"\0" * 8  # sequence number and port
            out += bytes(part)
            at += (length + 3) & ~3


def main():
    directory, name = sys.argv[1:]
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    parts = [dump(sock, kind) for kind in (RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE)]
    os.makedirs(directory, exist_ok=True)
    for control in (0, 1, 2, 4):
        with open(os.path.join(directory, f"{name}-{control}"), "wb") as file:
            file.write(bytes([control]) + b"".join(parts))


main()
