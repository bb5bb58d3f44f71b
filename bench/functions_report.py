"""What was measured of the AWS form, as a section of docs/benchmarks.md."""

from itertools import groupby
from statistics import median

from bench.aims import aims_of_functions, cold_ratio, number
from bench.results import FunctionRuns
from bench.tables import table

_MB = 1_000_000


def functions_section(functions: FunctionRuns) -> str:
    """Write the section."""
    aims = [(aim.text, aim.measured, "met" if aim.met else "**missed**") for aim in aims_of_functions(functions)]
    return f"""\
## The AWS form, simulated

The bundle that `make lambda` builds, for this machine, in processes of its own under Lambda's runtime client
(awslambdaric), between a simulated AWS (moto), a fake memberships API and a fake SendGrid, all on this machine and
without TLS. Lambda gives a function with 512 MB a fraction of such a processor: only the ratios carry over.

{table(["aim", "measured", ""], aims)}

A cold start is from the start of the process to its first answer; each kind in turn with the others, {
        len(functions.cold_message)
    } times after
one round that is not counted. The baseline is a handler that makes the SQS and the DynamoDB client of boto3 and
answers, with boto3 as it is installed here. The *first message* is one whose export is finished: it is read from
DynamoDB and done. The *first export* has 10 rows, and the clock stops when it is mailed.

{table(["cold start", "median ms", "shortest", "longest", "of the baseline"], _cold(functions))}

Calls to AWS for an export of 10 rows, with a warm function, in their order; the first three are the API's, the
receive and the delete those of the event source mapping: {_calls(functions)}.

{table(["rows", "s", "peak MB"], [[number(functions.rows), f"{functions.seconds:.1f}", _peak(functions)]])}

A visit of the sweeper that deletes the files of an export takes {
        functions.visit_seconds * 1000:.1f} ms of the processor; the rest of it is
waiting for AWS.

{table(["bundle for", "MB zipped"], [[name, f"{size / _MB:.1f}"] for name, size in functions.bundle_bytes.items()])}"""


def _cold(functions: FunctionRuns) -> list[list[str]]:
    kinds = {
        "baseline: two clients of boto3": functions.cold_baseline,
        "first message": functions.cold_message,
        "first export": functions.cold_export,
    }
    return [
        [
            name,
            *(f"{value * 1000:.0f}" for value in (median(times), min(times), max(times))),
            f"{cold_ratio(times, functions):.2f}",
        ]
        for name, times in kinds.items()
    ]


def _peak(functions: FunctionRuns) -> str:
    return f"{functions.peak_bytes / _MB:.1f}"


def _calls(functions: FunctionRuns) -> str:
    grouped = [(name, len(list(calls))) for name, calls in groupby(functions.calls)]
    told = ", ".join(f"{name} x {times}" if times > 1 else name for name, times in grouped)
    return f"{told} ({len(functions.calls)} in all)"
