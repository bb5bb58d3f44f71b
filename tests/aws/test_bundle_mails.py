"""What a function mails with nothing but the bundle: the same as here, from templates that are compiled already."""

import json
import os
import subprocess
import sys
from pathlib import Path

from memberships_export.domain.formats.options import LANGUAGES

# Writes both mails in each language that it is handed, as JSON; with a folder, from what is in there alone.
WRITE = """
import sys
sys.path[:0] = [folder for folder in sys.argv[1:2] if folder]
import json
from datetime import UTC, datetime
from memberships_export.adapters.texts.mail_writer import TemplateMailWriter
from memberships_export.domain.export.record import Stage
from memberships_export.domain.formats.options import Format
from memberships_export.domain.mail import facts
from memberships_export.domain.mail.brand import Brand

if sys.argv[1]:
    import jinja2
    def compile(*_, **__): raise AssertionError("A template is compiled.")
    jinja2.Environment.compile = compile

at = datetime(2026, 3, 1, 13, 5, 9, tzinfo=UTC)
writer = TemplateMailWriter(Brand(name="TSV", contact="office@example.org"), strict=True)
written = []
for language in sys.argv[2:]:
    told = {"language": language, "time_zone": "Europe/Berlin", "until": at, "requested_at": at, "export_number": "1"}
    ready = facts.Ready(
        **told, format=Format.XLSX, file_name="memberships.xlsx", rows=12345, bytes=1_234_567, sha256="0" * 64,
        link="https://exports.example.org/x", guarded=3, possible_duplicate=True, completeness=None,
        moved_between=(at, at),
        columns=("id",), filters=("state: active",),
    )
    failed = facts.Failed(
        **told, stage=Stage.FETCH, reason="No account.", code="no", advice=facts.Advice.TELL, failed_at=at
    )
    for mail in (writer.write(ready), writer.write(failed)):
        written.append([mail.subject, mail.text, mail.html])
print(json.dumps(written))
"""
TAGS = [*LANGUAGES, "de-CH", "en-GB", "fr-CA"]


def written(*isolation: str, folder: Path | None = None) -> list[list[str]]:
    command = [sys.executable, *isolation, "-c", WRITE, str(folder or ""), *TAGS]
    environ = {} if folder else dict(os.environ)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    mails: list[list[str]] = json.loads(done.stdout)
    return mails


def test_each_mail_in_each_language_is_as_here_and_no_template_is_compiled_for_it(code: Path) -> None:
    here, there = written(), written("-I", "-S", "-B", folder=code)

    assert len(there) == 2 * len(TAGS)
    assert there == here


def test_each_language_has_its_catalogue_in_the_bundle(code: Path) -> None:
    folder = code / "memberships_export" / "translations"

    assert {path.parts[-3] for path in folder.rglob("messages.mo")} == set(LANGUAGES)
