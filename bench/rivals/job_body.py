"""What a good engineer writes into the job of a queue: pages of the API, `json`, `csv.writer`, one mail.

`python -m bench.rivals.job_body URL TOKEN FILE` writes one file and prints what that took.
"""

import csv
import os
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from bench.rivals.timing import print_what_it_took

_PAGE = 5000  # as the service asks for
_COLUMNS = (
    "id", "uuid", "name", "userId", "recurringPrice", "validFrom", "validUntil", "state", "assignedBy",
    "paymentMethod", "billingInterval", "billingPeriods",
)  # fmt: skip
BEGUN = "X-Begun"  # header of a mail: when its job began, in seconds since 1970


def export(url: str, token: str, user_id: str, folder: str) -> None:
    """Make one small export: fetch, file, mail. The file and the mail are durable when it returns."""
    begun = time.time()
    file = Path(folder, f"{user_id}.csv")
    write_file(url, token, file)
    _send(_mail(user_id, file, begun), Path(folder, f"{user_id}.eml"))


def write_file(url: str, token: str, path: Path) -> None:
    """Write all memberships of the user whose token it is."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for items in _pages(url, token):
            writer.writerows([item[name] for name in _COLUMNS] for item in items)
        file.flush()
        os.fsync(file.fileno())


def _pages(url: str, token: str) -> Iterator[list[dict[str, Any]]]:
    parameters: dict[str, str | int] = {"limit": _PAGE}
    while True:
        answer = _client().get(url, params=parameters, headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        page = answer.json()
        yield page["items"]
        if not page["nextCursor"]:
            return
        parameters["cursor"] = page["nextCursor"]


@cache
def _client() -> httpx.Client:
    """Make one for each process, which keeps its connection."""
    return httpx.Client(timeout=60)


def _mail(user_id: str, file: Path, begun: float) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "club@example.org", f"{user_id}@example.org"
    mail["Subject"] = "Your memberships"
    mail[BEGUN] = repr(begun)
    mail.set_content("Your memberships are attached.\n")
    mail.add_attachment(file.read_bytes(), maintype="text", subtype="csv", filename="memberships.csv")
    return mail


def _send(mail: EmailMessage, path: Path) -> None:
    """Put it into the outbox, whole or not at all."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(mail.as_bytes())
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


if __name__ == "__main__":
    api, bearer, file_name = sys.argv[1:]
    print_what_it_took(lambda: write_file(api, bearer, Path(file_name)))
