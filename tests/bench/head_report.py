"""How run_heads prints what it measured.

SPDX-License-Identifier: Apache-2.0
"""
from report import number


def print_work(work, figures, goal, busy):
    """One table; `goal` is what the row "verifying" may add, `busy` the machine's load before and after."""
    print(f"\n{work.name}: CPU µs for each request; load of the machine {busy[0]:.1f} to {busy[1]:.1f}\n"
          f"{'':18}|{'in all':^18}|{'x own bare':^15}|{'added to own bare':^18}|{'may add':>8} |{'start s':>8} |"
          f"{'MiB':>5}\n"
          f"{'':18}|{'minimum':>8} {'median':>8} |{'minima':>6} {'median':>7} |{'minima':>8} {'median':>8} |")
    for name, row in figures.items():
        cost = f"{name:18}|{number(row['minimum']):>8} {number(row['median']):>8} |"
        end = f"{row['start']:8.2f} |{row['memory']:5.0f}"
        if name == row["bare"]:
            print(f"{cost}{'':14} |{'':17} |{'':8} |{end}")
        else:
            print(f"{cost}{row['ratio_of_minima']:6.2f} {row['median_ratio']:7.2f} |{number(row['added_minima']):>8} "
                  f"{number(row['added_median']):>8} |{goal if name == 'verifying' else '':>8} |{end}")
