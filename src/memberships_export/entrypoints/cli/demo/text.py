"""What the demo tells, with commands that can be copied."""

from shlex import quote

from memberships_export.entrypoints.cli.demo.content import Content
from memberships_export.entrypoints.cli.demo.mail import Arrival
from memberships_export.entrypoints.cli.demo.scene import Scene
from memberships_export.entrypoints.cli.output import table
from memberships_export.entrypoints.cli.program import program
from memberships_export.settings import variable

_TYPED_AS = {"timeZone": "time-zone"}
_SHOWN_COLUMNS = ("id", "name", "recurringPrice", "validFrom", "validUntil", "state")


def result(arrival: Arrival, content: Content, seconds: float) -> str:
    """Say what arrived; it has been checked by now."""
    how = "by the link in the mail" if arrival.by_link else "attached to the mail"
    facts = [
        ("Mail", str(arrival.mail)),
        (arrival.file.suffix.removeprefix(".").upper(), f"{arrival.file} ({how})"),
        ("Rows", f"{content.rows:,}, as many as there are, and each as the memberships API has it"),
        ("SHA-256", f"{content.sha256}, the same in the status"),
        ("Time", f"{seconds:.2f} s from the request to the mail"),
    ]
    lines = [f"{name:<8} {value}" for name, value in facts]
    return "\n".join(["", *lines, "", _first_rows(content)])


def while_running(url: str, token: str, export_id: str, scene: Scene) -> str:
    """Say what to try against the service of the demo."""
    ours = [f'curl -H "Authorization: Bearer $MEMBERSHIPS_EXPORT_TOKEN" "{url}/memberships?limit=2"']
    return _steps(
        "The service keeps running until Ctrl-C, which deletes all that the demo made. In another terminal:",
        [
            f"export MEMBERSHIPS_EXPORT_URL={url} MEMBERSHIPS_EXPORT_TOKEN={token}",
            f"{program()} list",
            f"{program()} status {export_id}",
            f"{program()} options --language de",
            f"{program()} watch $({program()} request --format xlsx --language de)",
            f"{program()} resend {export_id}",
            *([] if scene.play.api else ours),
        ],
    )


def afterwards(scene: Scene, user_id: str, email: str) -> str:
    """Say what to try now that the service has ended, and with it the API of another shape."""
    data = f"{variable('data_dir')}={quote(str(scene.folder / 'data'))}"
    token = f"{data} {program()} token --user-id {user_id} --email {email}"
    ours = [
        f"{data} {program()} serve    # this service again, on port 8000; then in another terminal:",
        f"MEMBERSHIPS_EXPORT_TOKEN=$({token}) {program()} list",
    ]
    steps = _steps(
        "The service has ended. To go on:",
        [
            f"{program()} demo{_typed(scene)} --keep    # the same, and the service stays for you to try more",
            *([] if scene.play.api else ours),
        ],
    )
    return f"{steps}\n\nTo delete all of this: rm -r {quote(str(scene.folder))}"


def _typed(scene: Scene) -> str:
    """Return the options by which this demo comes again."""
    said = {"api": scene.play.api, **scene.play.chosen}
    return "".join(f" --{_TYPED_AS.get(name, name)} {quote(value)}" for name, value in said.items() if value)


def _steps(title: str, commands: list[str]) -> str:
    return "\n".join(["", title, *(f"  {command}" for command in commands)])


def _first_rows(content: Content) -> str:
    known = [at for at, name in enumerate(content.names) if name in _SHOWN_COLUMNS]
    shown = known or range(len(content.names))
    return table([content.headings[at] for at in shown], [[row[at] for at in shown] for row in content.first])
