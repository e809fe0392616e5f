"""The figures: how they are summed up, what is to be reached, and how they are printed.

SPDX-License-Identifier: Apache-2.0
"""
from statistics import median

from memory import HELD
from targets import THREADS

# What verifying may add to bare httpd: in microseconds on the machine where that was set (None: nowhere), and as often
# the pure HMAC of any machine.
GOALS = {
    ("1k", "verifying"): (2.5, 2.5 / 0.8),
    ("1k", "verifying memory=1m"): (2.5, 2.5 / 0.8),
    ("1m", "verifying"): (1050, 1050 / 728),
    ("1m", "verifying memory=1m"): (790, 790 / 728),
    ("16m", "verifying"): (None, 1.7),
    ("16m", "verifying memory=1m"): (None, 1.7),
    ("aws4", "verifying"): (6, 6 / 1.5),
}
# What others cost on that machine.
PEERS = {
    "1k": "haproxy adds 4.0 to its own bare server, nginx with Lua 4.7, njs 11; pure HMAC is 0.8",
    "1m": "haproxy adds 781 to its own bare server, njs 782; pure HMAC is 728",
    "16m": "the best takes in all 6.6 x bare httpd; bare httpd and pure HMAC would be 3.8 x",
    "aws4": "node adds 145 to 290 to its own bare server; no proxy has it",
}
PURE = "pure HMAC-SHA256"
KIB = 1024


def summary(rows, bare_of=lambda name: "bare"):
    """The figures of each row, microseconds a request. `rows`: the rounds of PURE and of each target as (requests, CPU
    seconds); `bare_of` names the row that a target is compared with."""
    costs = {name: [1e6 * seconds / requests for requests, seconds in rounds] for name, rounds in rows.items()}
    bares = {name: costs[bare_of(name)] for name in costs}
    return {name: {
        "requests": sum(requests for requests, _ in rows[name]),
        "rounds": rounds,
        "minimum": min(rounds),
        "median": median(rounds),
        "ratio_of_minima": min(rounds) / min(bares[name]),
        "median_ratio": median(cost / other for cost, other in zip(rounds, bares[name])),
        "added_minima": min(rounds) - min(bares[name]),
        "added_median": median(cost - other for cost, other in zip(rounds, bares[name])),
    } for name, rounds in costs.items()}


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def goal(work, name, pure):
    """What the target may add for this work: as it was set, and with the pure HMAC of this machine."""
    if (work, name) not in GOALS:
        return ""
    limit, factor = GOALS[work, name]
    return f"{number(limit) if limit else '-':>6} {number(factor * pure):>8} = {factor:.2f} x"


def print_costs(work, figures, connections):
    print(f"\n\n{work}, {connections} connections: CPU µs for each request\n"
          f"{'':22}|{'in all':^18}|{'x bare':^15}|{'added to bare':^18}|{'added':^15}|{'may add: set, here':^25}\n"
          f"{'':22}|{'minimum':>8} {'median':>8} |{'minima':>6} {'median':>7} |{'minima':>8} {'median':>8} |"
          f"{'x pure':>6} {'median':>7} |")
    pure = figures[PURE]
    print(f"{PURE:22}|{number(pure['minimum']):>8} {number(pure['median']):>8} |{'':14} |{'':17} |{'':14} |")
    for name, row in figures.items():
        if name != PURE:
            print(f"{name:22}|{number(row['minimum']):>8} {number(row['median']):>8} |{row['ratio_of_minima']:6.2f} "
                  f"{row['median_ratio']:7.2f} |{number(row['added_minima']):>8} {number(row['added_median']):>8} |"
                  f"{row['added_minima'] / pure['minimum']:6.2f} {row['added_median'] / pure['median']:7.2f} |"
                  f"{goal(work, name, pure['minimum'])}")
    if work in PEERS:
        print(f"elsewhere: {PEERS[work]}")


def print_memory(figures, held_work):
    """`figures`: bytes of each target's child. What bare httpd takes as well is not the module's."""
    def over_bare(row, moment, shares=1):
        grown = (row[moment] - row["start"]) - (figures["bare"][moment] - figures["bare"]["start"])
        return round(grown / shares / KIB)

    print(f"\n\nKiB of anonymous memory of the child. Held: {HELD} requests of {held_work} but for their last byte; each "
          f"may take\nmemory= (128 KiB by default) and 64 KiB. After load: with the buffers that {THREADS} threads keep")
    print(f"{'':22}|{'start':>8} |{'held':>8} {'each, over bare':>16} |{'after load':>11} {'over bare':>10} "
          f"{'each thread':>12}")
    for name, row in figures.items():
        start, held, after = (round(row[moment] / KIB) for moment in ("start", "held", "after"))
        print(f"{name:22}|{start:8} |{held:8} {over_bare(row, 'held', HELD):16} |"
              f"{after:11} {over_bare(row, 'after'):10} {over_bare(row, 'after', THREADS):12}")
