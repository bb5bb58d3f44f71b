"""What the AWS form costs and how much it carries: a model of list prices and counted calls, nothing measured on AWS.

`python -m bench.cost` prints its tables; docs/scaling-and-cost.md holds them.
"""

import argparse

from bench.cost_report import show
from bench.facts import PEAK, RUN_SECONDS


def main() -> None:
    """Print the tables. Another time or peak shows another bill; the page holds the defaults."""
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--peak", type=float, default=PEAK, help="busiest minutes, times the average")
    parser.add_argument("--seconds", type=float, default=RUN_SECONDS, help="billed for one export")
    chosen = parser.parse_args()
    print(show(chosen.peak, chosen.seconds), end="")


if __name__ == "__main__":
    main()
