"""What the demo tells, with commands that can be copied."""

from pathlib import Path
from shlex import quote

from memberships_export.entrypoints.cli.demo.mail import Arrival, Content
from memberships_export.entrypoints.cli.output import table
from memberships_export.entrypoints.cli.program import program
from memberships_export.settings import variable

_SHOWN_COLUMNS = ("id", "name", "recurringPrice", "validFrom", "validUntil", "state")


def result(arrival: Arrival, content: Content, seconds: float) -> str:
    """Say what arrived; it has been checked by now."""
    how = "by the link in the mail" if arrival.by_link else "attached to the mail"
    facts = [
        ("Mail", str(arrival.mail)),
        ("CSV", f"{arrival.csv} ({how})"),
        ("Rows", f"{content.rows:,}, as many as there are"),
        ("SHA-256", f"{content.sha256}, the same in the status"),
        ("Time", f"{seconds:.2f} s from the request to the mail"),
    ]
    lines = [f"{name:<8} {value}" for name, value in facts]
    return "\n".join(["", *lines, "", _first_rows(content)])


def while_running(url: str, token: str, export_id: str, *, api: str) -> str:
    """Say what to try against the service of the demo."""
    ours = [f'curl -H "Authorization: Bearer $MEMBERSHIPS_EXPORT_TOKEN" "{url}/memberships?limit=2"']
    return _steps(
        "The service keeps running until Ctrl-C, which deletes all that the demo made. In another terminal:",
        [
            f"export MEMBERSHIPS_EXPORT_URL={url} MEMBERSHIPS_EXPORT_TOKEN={token}",
            f"{program()} list",
            f"{program()} status {export_id}",
            f"{program()} watch $({program()} request --preset raw)",
            f"{program()} resend {export_id}",
            *([] if api else ours),
        ],
    )


def afterwards(folder: Path, user_id: str, email: str, *, api: str) -> str:
    """Say what to try now that the service has ended, and with it the API of another shape."""
    data = f"{variable('data_dir')}={quote(str(folder / 'data'))}"
    token = f"{data} {program()} token --user-id {user_id} --email {email}"
    same = f" --api {api}" if api else ""
    ours = [
        f"{data} {program()} serve    # this service again, on port 8000; then in another terminal:",
        f"MEMBERSHIPS_EXPORT_TOKEN=$({token}) {program()} list",
    ]
    steps = _steps(
        "The service has ended. To go on:",
        [
            f"{program()} demo{same} --keep    # the same, and the service stays for you to try more",
            *([] if api else ours),
        ],
    )
    return f"{steps}\n\nTo delete all of this: rm -r {quote(str(folder))}"


def _steps(title: str, commands: list[str]) -> str:
    return "\n".join(["", title, *(f"  {command}" for command in commands)])


def _first_rows(content: Content) -> str:
    header, *rows = content.head
    shown = [header.index(name) for name in _SHOWN_COLUMNS]
    return table(_SHOWN_COLUMNS, [[row[at] for at in shown] for row in rows])
