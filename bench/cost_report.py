"""The cost model as Markdown: a pure function, so that the page that holds the tables can be tested."""

from collections.abc import Mapping, Sequence

from bench import facts, prices, quotas
from bench.aims import number
from bench.bill import bill, mails
from bench.facts import Call, Load
from bench.quotas import Bound
from bench.tables import table

SIZES = (1_000, 1_000_000, 100_000_000)  # exports a month
_SECONDS_PER_PAGE = 0.2  # the worked example
_PAGES, _BURSTS = (10, 50, 500), (1_000, 100_000)
_SQS = {"SendMessage", "ReceiveMessage", "DeleteMessage"}


def tables(peak: float = facts.PEAK, run_seconds: float = facts.RUN_SECONDS) -> Mapping[str, str]:
    """Return every table by its title, in the order of the page."""
    loads = [Load(exports=size, peak=peak, run_seconds=run_seconds) for size in SIZES]
    return {
        "Calls of one export of 10 rows": _calls(facts.CALLS),
        "Calls after its life": _calls(facts.AFTER),
        "What the model assumes": _assumptions(loads[0]),
        "USD a month": _sizes(loads),
        "USD a month, by service": _services(loads),
        "What binds": _bounds(loads),
        "Concurrency and bursts": _capacity(run_seconds),
        "Prices": _prices(),
        "Quotas": _quotas(),
    }


def show(peak: float, run_seconds: float) -> str:
    """Write all tables, each under its title."""
    return "\n".join(f"## {title}\n\n{text}\n" for title, text in tables(peak, run_seconds).items())


def _calls(calls: Sequence[Call]) -> str:
    rows = [(str(place), call.who, call.name, call.does, _billed(call)) for place, call in enumerate(calls, 1)]
    return table(["", "who", "call", "for", "billed as"], rows)


def _billed(call: Call) -> str:
    if call.name in _SQS:
        return "SQS request, with message group" if call.name == "SendMessage" else "SQS request"
    if call.name == "S3 DeleteObjects":
        return "free (unverified)"
    if call.name.startswith("S3"):
        return "S3 request (PUT, List)"
    counts = {
        "read": call.reads,
        "write": call.writes,
        "`by-user` write": call.by_user,
        "`by-wake` write": call.by_wake,
        "`by-address` write": call.by_address,
    }
    return ", ".join(f"{count:g} {what}" for what, count in counts.items() if count)


def _assumptions(load: Load) -> str:
    rows = [
        ("busiest minutes, times the average of the month", f"{load.peak:g}"),
        ("function, billed for one export, s", f"{load.run_seconds:g}"),
        ("sweeper, each pass and each visit, s", f"{facts.PASS_SECONDS:g}, {facts.VISIT_SECONDS:g}"),
        ("log of all programs for one export, bytes", number(facts.LOG_BYTES)),
        ("numbers of one export in that log, bytes (measured)", number(facts.NUMBER_BYTES)),
        ("metrics of our own", str(facts.OWN_METRICS)),
        ("through the NAT gateway for one export, bytes", number(facts.NAT_BYTES)),
        ("of it out to the internet, bytes", number(facts.OUT_BYTES)),
        ("new connections at the load balancer for one export", str(facts.CONNECTIONS)),
        ("metrics of Container Insights (from memory, unchecked)", str(facts.INSIGHT_METRICS)),
        ("seconds for which S3 keeps a bucket key", str(facts.KEY_SECONDS)),
    ]
    return table(["assumed", "value"], rows)


def _sizes(loads: Sequence[Load]) -> str:
    head = ["exports a month", "a second", "busiest", "AWS fixed", "AWS use", "AWS", "AWS use, one export", "SendGrid"]
    return table(head, map(_size, loads))


def _size(load: Load) -> list[str]:
    lines = bill(load)
    fixed, use = sum(line.fixed for line in lines), sum(line.use for line in lines)
    least, most = mails(load)
    mailing = _usd(least) if least == most else f"{_usd(least)} to {_usd(most)}"
    rates = [f"{load.average:.4g}", f"{load.busiest:.4g}"]
    return [number(load.exports), *rates, *map(_usd, (fixed, use, fixed + use)), f"{use / load.exports:.6f}", mailing]


def _services(loads: Sequence[Load]) -> str:
    bills = [bill(load) for load in loads]
    rows = [
        [lines[0].name, _usd(lines[0].fixed), *(_usd(line.use) for line in lines)] for lines in zip(*bills, strict=True)
    ]
    sums = [sum(line.fixed for line in bills[0]), *(sum(line.use for line in lines) for lines in bills)]
    return table(["", "fixed", *map(number, SIZES)], [*rows, ["**all**", *map(_usd, sums)]])


def _bounds(loads: Sequence[Load]) -> str:
    rows = [_bound(bound, loads) for bound in quotas.bounds(loads[0].run_seconds)]
    return table(["limit", "exports a second", "exports a month, evenly", *map(number, SIZES)], rows)


def _bound(bound: Bound, loads: Sequence[Load]) -> list[str]:
    shares = [f"{_share(load.average / bound.carries)}, {_share(load.busiest / bound.carries)}" for load in loads]
    return [bound.name, _rate(bound.carries), number(round(bound.carries * facts.SECONDS)), *shares]


def _capacity(run_seconds: float) -> str:
    head = ["pages/s the API bears", "s for a page", "`concurrency`", *(f"{number(size)} exports" for size in _BURSTS)]
    return table(head, (_capacity_row(pages, run_seconds) for pages in _PAGES))


def _capacity_row(pages: int, run_seconds: float) -> list[str]:
    chosen = quotas.concurrency_for(pages, _SECONDS_PER_PAGE)
    minutes = [f"{quotas.burst_seconds(size, chosen, run_seconds) / 60:.1f} min" for size in _BURSTS]
    return [str(pages), f"{_SECONDS_PER_PAGE:g}", str(chosen), *minutes]


def _prices() -> str:
    rows = [
        (price.name, f"{price.usd:.10f}".rstrip("0").rstrip("."), _per(price), f"[page]({price.source})", price.dated)
        for price in prices.PRICES
    ]
    return table(["price", "USD", "for", "read at", "dated"], rows)


def _per(price: prices.Price) -> str:
    return f"{number(price.count)} {price.unit}" if price.count > 1 else price.unit


def _quotas() -> str:
    rows = [
        (quota.name, f"{number(int(quota.limit))} {quota.unit}", f"[page]({quota.source})", quota.dated)
        for quota in quotas.QUOTAS
    ]
    return table(["quota", "default", "read at", "dated"], rows)


def _usd(amount: float) -> str:
    if 0 < amount < 0.005:
        return "< 0.01"
    return f"{amount:,.2f}".replace(",", " ") if amount else "0"


def _rate(carries: float) -> str:
    return number(round(carries)) if carries >= 10 else f"{carries:.2f}"


def _share(part: float) -> str:
    return "< 1 %" if part < 0.01 else f"{number(round(part * 100))} %"
