"""TK-023 of the hostile requests: a token of the endpoint is revoked while many use it at once.

What can be taken back is a pair; a JWT ends by itself (docs/token-endpoint.md).
SPDX-License-Identifier: Apache-2.0
"""
import threading
import time

import pytest

from client import get
from command_line import run
from test_554_user_pairs import API, as_headers, endpoint, login, pair_of, prepare, users_line

CONFIG = "MaxRequestWorkers 100\nServerLimit 100\n" + endpoint("/login", users_line()) + API.format(options="")
LOADED = r"AuthVerify: .* clients are in force"
CONNECTIONS = 64
PATIENCE = 10  # seconds in which each must have been refused at last


class Caller(threading.Thread):
    """Calls until it is refused, each time over a new connection, so that it meets every child."""

    def __init__(self, server, pair):
        super().__init__(daemon=True)
        self.server, self.pair, self.good, self.refused_at = server, pair, 0, None

    def run(self):
        until = time.monotonic() + PATIENCE
        while not self.refused_at and time.monotonic() < until:
            sent = time.monotonic()
            if get(self.server, "/api", as_headers(self.pair)).status == 200:
                self.good += 1
            else:
                self.refused_at = sent


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_tk_023_a_revoked_pair_is_refused_everywhere_within_a_second(mpm):
    config = CONFIG if mpm == "prefork" else CONFIG.partition("\n")[2].partition("\n")[2]
    with prepare(config, mpm, allow=[LOADED, r"refused reason=unknown-client "]) as server:
        pair, other = pair_of(login(server)), pair_of(login(server))
        callers = [Caller(server, pair) for _ in range(CONNECTIONS)]
        for caller in callers:
            caller.start()
        while not all(caller.good for caller in callers):
            time.sleep(0.01)
        run("client", "revoke", server.root / "issued" / "issued.clients", pair[0])
        revoked_at = time.monotonic()
        for caller in callers:
            caller.join()
        assert all(caller.refused_at for caller in callers)
        assert max(caller.refused_at for caller in callers) - revoked_at < 2  # the watch looks four times a second
        assert get(server, "/api", as_headers(pair)).status == 401
        assert get(server, "/api", as_headers(other)).status == 200
