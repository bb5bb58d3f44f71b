"""The fakes by the name of the profile that fits them, and one of them as a process.

    python -m rig.services.apis.every stripe --rows 240 --cap 50 --switch id-twice

It prints its address, and serves user 42 (and 43 with five rows) until SIGTERM or SIGINT.
"""

import argparse
import sys

from rig.services.apis.fake_api import FakeApi
from rig.services.apis.held import Holdings
from rig.services.apis.home_made import Arrays, Lines, LinkedArray, NestedArray, Offset, PlainArray, Sparse
from rig.services.apis.payments import Chargebee, Paddle, Recharge, Stripe
from rig.services.apis.pretix import Pretix
from rig.services.apis.standards import GraphQl, Hitobito, JsonApi, OData
from rig.services.apis.switches import SWITCHES
from rig.services.apis.wordpress import PaidMembershipsPro, WooCommerceSubscriptions, WordPressStyle
from rig.waiting import signals_to_end

# Of the profiles that are shipped.
VENDORS: dict[str, type[FakeApi]] = {
    "pretix": Pretix,
    "paid-memberships-pro": PaidMembershipsPro,
    "woocommerce-subscriptions": WooCommerceSubscriptions,
    "stripe": Stripe,
    "paddle": Paddle,
    "chargebee": Chargebee,
    "recharge": Recharge,
    "hitobito": Hitobito,
    "jsonapi": JsonApi,
    "odata": OData,
    "plain-array": PlainArray,
}
# Of profiles that the tests write, as a club would.
HOME_MADE: dict[str, type[FakeApi]] = {
    "nested-array": NestedArray,
    "wordpress-style": WordPressStyle,
    "linked-array": LinkedArray,
    "lines": Lines,
    "sparse": Sparse,
    "arrays": Arrays,
    "offset": Offset,
    "graphql": GraphQl,
}
EVERY = VENDORS | HOME_MADE


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    switches = "\n".join(f"  {name:<16} {what}" for name, what in SWITCHES.items())
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"switches:\n{switches}", formatter_class=form)
    parser.add_argument("name", choices=EVERY)
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--cap", type=int)
    parser.add_argument("--switch", nargs="*", default=[])
    options = parser.parse_args()
    until_told_to_end = signals_to_end()
    held = Holdings({"42": options.rows, "43": 5})
    with EVERY[options.name](held, *options.switch, cap=options.cap) as api:
        sys.stdout.write(f"{api.url}\n")
        sys.stdout.flush()
        until_told_to_end()


if __name__ == "__main__":
    main()
