"""What a server's child holds in anonymous memory: while requests are held open, and after a load.

SPDX-License-Identifier: Apache-2.0
"""
from contextlib import ExitStack
from pathlib import Path

from client import Connection, blocks, head
from loader import load
from server import wait_until
from targets import THREADS

HELD = 8
CONNECTIONS = THREADS // 2  # with no thread idle, httpd closes kept-alive connections
PATIENCE = 120


def unread(port):
    """Bytes on the way to or from this loopback port."""
    total = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        local, remote, _, queues = line.split()[1:5]
        if f"{port:04X}" in (local.rpartition(":")[2], remote.rpartition(":")[2]):
            total += sum(int(queue, 16) for queue in queues.split(":"))
    return total


def hold(target, delivery, count):
    """Sends `count` requests at once but for their last byte, looks, and lets them end.
    Returns (bytes that the child then held in all, how many requests were not answered 200)."""
    fields = {**delivery.headers, "Content-Length": str(len(delivery.body)), "Connection": "close"}
    with ExitStack() as stack:
        connections = [stack.enter_context(Connection(target.port)) for _ in range(count)]
        begin = [head("POST", delivery.work.path, fields), *blocks(delivery.body[:-1])]
        senders = [connection.send_in_background(begin) for connection in connections]
        for sender in senders:
            sender.join()
        wait_until(lambda: not unread(target.port), PATIENCE, "the server does not read what is sent")
        held = target.anonymous_memory()
        for connection in connections:
            connection.send(delivery.body[-1:])
        answers = [connection.final_response() for connection in connections]
    return held, sum(1 for answer in answers if not answer or answer.status != 200)


def look(target, held_delivery, delivery, seconds, core):
    """({"start", "held", "after"}: bytes, how many requests were answered wrongly). The target has answered before.
    `delivery` is larger than what a thread may keep; each thread gets one, and then there is load for `seconds`."""
    start = target.anonymous_memory()
    held, wrong = hold(target, held_delivery, HELD)
    _, more = hold(target, delivery, THREADS)
    wrong += more + load(target.port, delivery, seconds, CONNECTIONS, core).wrong
    return {"start": start, "held": held, "after": target.anonymous_memory()}, wrong
