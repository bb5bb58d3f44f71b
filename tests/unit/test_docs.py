"""The docs say what the code does: names, tables, links and commands are compared; examples are run."""

import importlib
import inspect
import itertools
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from fastapi import FastAPI
from jwt import InvalidTokenError
from typer.testing import CliRunner

from memberships_export.adapters.embedded import sqs_rules
from memberships_export.adapters.identity.service_tokens import ServiceTokens
from memberships_export.adapters.texts.catalogues import Catalogues
from memberships_export.domain.errors import ExportError
from memberships_export.domain.formats.headings import headings
from memberships_export.domain.formats.options import Options
from memberships_export.domain.source.asking import Ask, User
from memberships_export.domain.source.exchange import Answer
from memberships_export.domain.source.grades import Grade
from memberships_export.domain.source.profile import AnyPaginator
from memberships_export.domain.source.profile_file.problems import ProfileInvalid
from memberships_export.domain.source.profile_file.text import read_profile
from memberships_export.domain.source.progress import Progress, completeness_text
from memberships_export.domain.source.reader import reader_of
from memberships_export.entrypoints.cli.exits import ExitCode
from memberships_export.entrypoints.cli.main import make_app
from memberships_export.logs.vocabulary import EVENTS
from memberships_export.settings import CLIENT_VARIABLES, PREFIX, Settings, read_settings, variable
from tests.log_calls import log_calls
from tests.readers import believed, own_reader

ROOT = Path(__file__).parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/decisions/0*.md"))
PACKAGE = ROOT / "src" / "memberships_export"
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def name_of(doc: Path) -> str:
    return str(doc.relative_to(ROOT))


def code_of(doc: str, language: str = "") -> list[str]:
    """Return the fenced code of a document in one language; without one: terminal sessions and the like."""
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", doc, re.MULTILINE | re.DOTALL)


def commands() -> dict[str, Any]:
    """Return all commands of the command line by what one types, groups left out."""

    def walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  (Typer's own classes of commands)
        children = getattr(command, "commands", {})
        for name, child in children.items():
            yield from walk(f"{path} {name}", child)
        if not children or command.invoke_without_command:
            yield path, command

    return dict(walk("memberships-export", typer.main.get_command(make_app())))


def every_error() -> list[type[ExportError]]:
    """Return every error of this program, wherever it is declared."""
    for path in PACKAGE.rglob("*.py"):
        if not {"entrypoints", "__init__.py"} & set(path.parts):
            importlib.import_module(".".join(path.relative_to(ROOT / "src").with_suffix("").parts))
    found, queue = list[type[ExportError]](), [ExportError]
    while queue:
        error = queue.pop()
        found.append(error)
        queue += [child for child in error.__subclasses__() if child.__module__.startswith("memberships_export.")]
    return found


# --- Configuration ----------------------------------------------------------------------------------------------------


def configuration_table() -> str:
    rows = ["| Variable | Default | What it is |", "|---|---|---|"]
    for entry in fields(Settings):
        shown = "unset" if entry.default is None else f"`{as_variable(entry.default)}`"
        rows.append(f"| `{variable(entry.name)}` | {shown} | {entry.metadata['doc']} |")
    return "\n".join(rows)


def sessions_that_refuse(doc: str) -> list[str]:
    """Return the terminal sessions of a document that set variables for a command of ours."""
    return [code for code in code_of(text_of(doc)) if code.startswith(f"$ {PREFIX}")]


def as_variable(value: object) -> str:
    """Return a setting's value as one would write it in the environment; of a set, in the order of its choices."""
    if isinstance(value, frozenset):
        return ",".join(choice for choice in type(next(iter(value))) if choice in value)
    return str(value)


def test_the_configuration_table_is_that_of_the_settings() -> None:
    found = re.search(
        r"^\| Variable \| Default .*?(?=\n\n)", text_of("docs/configuration.md"), re.MULTILINE | re.DOTALL
    )

    assert found, "docs/configuration.md has no table that begins with | Variable | Default |"
    right = configuration_table()
    assert found[0] == right, f"docs/configuration.md differs from the settings. Put this table there:\n\n{right}\n"


@pytest.mark.parametrize("entry", fields(Settings), ids=lambda entry: entry.name)
def test_each_default_is_a_value_that_the_variable_may_have(entry: Field[Any]) -> None:
    if entry.default is None:
        return
    environ = {variable(entry.name): as_variable(entry.default)}

    assert read_settings(environ) == Settings()


@pytest.mark.parametrize("session", sessions_that_refuse("docs/configuration.md"))
def test_a_refused_setting_is_answered_as_the_docs_show(session: str) -> None:
    command, *answer = session.splitlines()
    *assignments, program, subcommand = command.removeprefix("$ ").split()

    result = CliRunner().invoke(
        make_app(), [subcommand], prog_name=program, env=dict(word.split("=", 1) for word in assignments)
    )

    assert (result.exit_code, result.stderr.splitlines()) == (ExitCode.USAGE, answer)


def test_the_variables_of_the_client_commands_are_explained() -> None:
    missing = [name for name in CLIENT_VARIABLES if f"| `{name}` |" not in text_of("docs/configuration.md")]

    assert missing == [], "docs/configuration.md, section Variables of the client commands: explain these"


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_variable_that_the_docs_name_exists(doc: Path) -> None:
    known = {*map(variable, (entry.name for entry in fields(Settings))), *CLIENT_VARIABLES}
    wrong_on_purpose = {"MEMBERSHIPS_EXPORT_PORTT"}  # shows what a typing error is answered with
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", doc.read_text(encoding="utf-8")))

    assert named - known - wrong_on_purpose == set(), f"{name_of(doc)} names variables that nobody reads"


# --- Commands and codes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `{command}` |" in text_of("README.md"), f"README.md, section The command line: add a row for `{command}`"


@pytest.mark.parametrize("code", list(ExitCode))
def test_every_exit_code_is_in_the_readme(code: ExitCode) -> None:
    assert f"| {code.value} |" in text_of("README.md"), (
        f"README.md, table of exit codes: add {code.value} ({code.name})"
    )


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_command_and_option_that_the_docs_name_exists(doc: Path) -> None:
    known = commands()
    text = doc.read_text(encoding="utf-8").replace("\\\n", " ")
    # A command is what begins a line of code, or stands in `…` or $(…); prose about the package names it too.
    for typed in re.findall(
        r"(?:^ *|[`$(/ ])(?<!su )(memberships-export [a-z][^`\n)#]*)", "\n".join(typed_in(text)), re.MULTILINE
    ):
        words = typed.split()
        name = " ".join(words[:3] if " ".join(words[:3]) in known else words[:2])
        assert name in known or name == "memberships-export dlq", f"{name_of(doc)} says `{typed}`: no such command"
        if name in known:
            options = {option for parameter in known[name].params for option in parameter.opts}
            wrong = [word for word in words if word.startswith("--") and word not in {*options, "--help"}]
            assert wrong == [], f"{name_of(doc)} says `{typed}`: {name} has {', '.join(sorted(options))}"
            refused = refusal_of(known[name], name, typed)
            assert not refused, f"{name_of(doc)} says `{typed}`: {refused}"


def refusal_of(command: Any, name: str, typed: str) -> str:  # noqa: ANN401  (Typer's own class of commands)
    """Return what the command line says against a command that is typed like this; nothing of it is run."""
    plain = re.sub(r"[;\[]|…|\.\.\.", " ; ", re.sub(r"\$\([^)]*\)?", "ID", typed))
    plain += '"' * (plain.count('"') % 2)  # what is typed ends at a parenthesis, which may stand between quotes
    given = itertools.takewhile(lambda word: not re.match(r"\d?[|;&<>]", word), shlex.split(plain))
    arguments = list(given)[len(name.split()) :]
    if not arguments or "--help" in arguments:
        return ""  # named, not typed
    try:
        command.make_context(name, arguments)
    except typer.TyperException as error:
        return error.format_message()
    return ""


def typed_in(text: str) -> list[str]:
    """Return what is set as code: blocks and `inline`."""
    without_blocks = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [*code_of(text), *(f"`{code}`" for code in re.findall(r"`([^`\n]+)`", without_blocks))]


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_make_target_that_the_docs_name_exists(doc: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^\$? ?|`)make ([a-z][a-z-]*)", doc.read_text(encoding="utf-8"), re.MULTILINE))

    assert named <= targets, f"{name_of(doc)} names make targets that the Makefile does not have"


@pytest.mark.parametrize("error", every_error(), ids=lambda error: error.code)
def test_every_error_code_is_in_the_runbook(error: type[ExportError]) -> None:
    runbook = text_of("docs/runbook.md")
    section, mention = re.search(rf"^### .*\b{error.code}\b", runbook, re.MULTILINE), f"`{error.code}`" in runbook

    assert section or mention, f"docs/runbook.md says nothing of {error.code} ({error.__name__}): what to do about it?"


def test_codes_that_are_no_errors_are_in_the_runbook_too() -> None:
    codes = re.findall(r'"errorCode": "(\w+)"', inspect.getsource(sqs_rules))

    assert codes == ["received_too_often"], "another code: explain it in docs/runbook.md"
    assert [code for code in codes if f"### {code}" not in text_of("docs/runbook.md")] == []


def test_every_log_event_is_in_the_runbook() -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    events = {event for source in sources for event in re.findall(r"\bevent=([a-z_]+)", source)}
    table = text_of("docs/runbook.md").partition("## Reading the log")[2].partition("\n## ")[0]

    missing = sorted(event for event in events if f"`{event}`" not in table)
    assert missing == [], "docs/runbook.md, section Reading the log: explain these events"


def test_every_log_event_is_in_the_vocabulary() -> None:
    known = {event.name: event.fields.split() for event in EVENTS}
    calls = [call for call in log_calls() if call.event not in known or not call.fields <= set(known[call.event])]

    assert calls == [], "memberships_export/logs/vocabulary.py: add these events, or fields; docs/logs.md shows them"


@pytest.mark.parametrize("runbook", ["docs/runbook.md", "docs/runbook-aws.md"])
def test_the_first_page_of_a_runbook_leads_to_every_section(runbook: str) -> None:
    first_page = text_of(runbook).partition("## What you see")[2].partition("\n## ")[0]
    title, contents, *sections = anchors_in_order(text_of(runbook))
    linked = re.findall(r"\]\(#([^)]+)\)", first_page)

    assert contents == "what-you-see", f"{runbook}: the table of what is seen comes first, before {title} goes on"
    assert sorted(set(sections) - set(linked)) == [], f"{runbook}, section What you see: what does one see there?"


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_no_command_of_the_docs_waits_for_ever_for_a_process_that_is_stopped(doc: Path) -> None:
    typed = re.findall(r"(?:^|[`$(|] *)(curl .*)", "\n".join(typed_in(doc.read_text("utf-8"))), re.MULTILINE)

    assert [line for line in typed if not re.search(r" (-m|--max-time) ?\d", line)] == [], "give curl -m SECONDS"


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_no_command_of_the_docs_can_print_the_environment(doc: Path) -> None:
    typed = typed_in(doc.read_text("utf-8"))
    bare = [line for code in typed for line in code.splitlines() if re.search(r"\b(export|set|env) +\$[({]", line)]

    assert bare == [], "with nothing behind it, export prints every secret of the shell: runbook-aws.md has `take`"


def test_what_takes_variables_into_a_shell_prints_none_when_nothing_came() -> None:
    take = re.search(r"^take\(\) .*?^}$", text_of("docs/runbook-aws.md"), re.MULTILINE | re.DOTALL)
    assert take
    for came, status in (("", 1), ("None", 1), ("A=1 B=2", 0)):
        command = [*("sh", "-c"), f"{take[0]}\ntake $(echo {came}); status=$?; echo $A$B; exit $status"]
        done = subprocess.run(command, env={"SECRET": "x"}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (status, "\n" if status else "12\n")
        assert "SECRET" not in done.stdout + done.stderr


def test_what_is_wrong_with_a_key_can_be_mended_as_it_is_written() -> None:
    for doc in DOCS:
        for command in re.findall(
            r"aws kms (?:cancel|enable|schedule)[a-z-]+([^`\n]*\n?[^`\n]*)", doc.read_text("utf-8")
        ):
            assert "--key-id" in command, f"{name_of(doc)}: aws kms needs --key-id"


# --- Links, paths and tests -------------------------------------------------------------------------------------------


def anchors_in_order(text: str) -> list[str]:
    """Return the anchors that a renderer makes of the headings, from top to bottom."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def anchors_of(doc: Path) -> set[str]:
    """Return the anchors that links to a document may have."""
    return set(anchors_in_order(doc.read_text(encoding="utf-8")))


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_relative_link_leads_somewhere(doc: Path) -> None:
    links = re.findall(r"\]\(((?!https?://)[^)\s]+)\)", doc.read_text(encoding="utf-8"))
    for link in links:
        path, _, anchor = link.partition("#")
        target = (doc.parent / path) if path else doc
        assert target.exists(), f"{name_of(doc)} links to {link}: there is no such file"
        assert not anchor or anchor in anchors_of(target), f"{name_of(doc)} links to {link}: there is no such heading"


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_no_page_holds_the_marks_of_a_merge(doc: Path) -> None:
    assert re.findall(r"^(?:<{7}|>{7}|\|{7}) .*", doc.read_text("utf-8"), re.MULTILINE) == []


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_path_of_the_code_that_the_docs_name_exists(doc: Path) -> None:
    named = re.findall(
        r"`([\w.-]+(?:/[\w.-]+)*(?:\.py|\.sql|\.toml)|(?:src|tests|rig)/[\w./-]+)`", doc.read_text("utf-8")
    )
    missing = [path for path in named if not any((base / path).exists() for base in (ROOT, PACKAGE))]

    assert missing == [], f"{name_of(doc)} names files that are neither here nor in src/memberships_export"


def test_every_module_has_a_place_in_the_tour() -> None:
    tour = text_of("docs/architecture.md")
    modules = [str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]

    missing = sorted(module for module in modules if f"`{module}`" not in tour)
    assert missing == [], "docs/architecture.md: say what these are for, where the data flow through them"


@pytest.mark.parametrize("doc", DOCS, ids=name_of)
def test_every_test_that_the_docs_name_exists(doc: Path) -> None:
    tests = {
        test for path in ROOT.glob("tests/**/*.py") for test in re.findall(r"def (test_\w+)\(", path.read_text("utf-8"))
    }
    named = set(re.findall(r"`(test_\w+)`", doc.read_text(encoding="utf-8")))

    assert named - tests == set(), f"{name_of(doc)} names tests that were renamed or removed"


# --- Decisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", DECISIONS, ids=name_of)
def test_a_decision_is_one_page_with_its_sections(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS, f"the sections are {', '.join(SECTIONS)}"
    assert text.startswith(f"# {page.name[:4]}. "), "the title begins with the number of the file"
    assert len(text.splitlines()) < 60, "a decision is one page: fewer than 60 lines"


def test_every_decision_is_in_the_index_under_its_title() -> None:
    rows = [f"| {page.name[:4]} | [{title_of(page)}]({page.name}) |" for page in DECISIONS]

    missing = [row for row in rows if row not in text_of("docs/decisions/README.md")]
    assert missing == [], "docs/decisions/README.md: put these rows in"


def title_of(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]


# --- Examples that are meant to be copied -----------------------------------------------------------------------------


def example(name: str) -> Any:  # noqa: ANN401  (a function of the docs)
    """Run the block of the docs that defines this function, and return it."""
    blocks = [code for doc in DOCS for code in code_of(doc.read_text(encoding="utf-8"), "python")]
    (block,) = [code for code in blocks if f"def {name}(" in code]
    namespace: dict[str, Any] = {}
    exec(compile(block, "docs", "exec"), namespace)  # noqa: S102  (our own text)
    return namespace[name]


def test_the_example_that_mounts_the_routes_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_DATA_DIR", str(tmp_path / "data"))
    app = FastAPI()

    example("add_exports")(app)

    assert "/memberships/export" in app.openapi()["paths"]


def test_the_example_that_accepts_the_worker_works(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "for-the-tests-of-the-documentation"
    monkeypatch.setenv("MEMBERSHIPS_EXPORT_SERVICE_SECRET", secret)
    user_of_the_worker = example("user_of_the_worker")

    def token(audience: str) -> str:
        return ServiceTokens(secret=secret, issuer="memberships-export", audience=audience)("user-1")

    assert user_of_the_worker(token("memberships-api")) == "user-1"
    with pytest.raises(InvalidTokenError):
        user_of_the_worker(token("somebody-else"))


def test_the_example_of_a_page_is_one_that_the_worker_believes() -> None:
    (body,) = code_of(text_of("docs/memberships-contract.md"), "json")

    assert believed(body.encode(), "user-1").rows == 1


def test_every_field_of_a_row_is_in_the_example_of_a_page() -> None:
    (body,) = code_of(text_of("docs/memberships-contract.md"), "json")

    assert re.findall(r'^ {6}"(\w+)":', body, re.MULTILINE) == [column.name for column in own_reader().profile.columns]


def profiles_of(doc: Path) -> list[str]:
    """Return the whole profiles of a document; what has no version is a part of one."""
    return [code for code in code_of(doc.read_text("utf-8"), "toml") if re.search(r"^version =", code, re.MULTILINE)]


@pytest.mark.parametrize("doc", [doc for doc in DOCS if profiles_of(doc)], ids=name_of)
def test_every_profile_in_the_docs_is_one(doc: Path) -> None:
    for text in profiles_of(doc):
        assert read_profile(text, doc.name).profile.columns


def test_the_problems_of_a_profile_that_the_docs_show_are_those_that_are_told() -> None:
    (text,) = profiles_of(ROOT / "docs/profiles.md")
    wrong = text.replace("order =", "odrer =").replace('currency = "plan.currency"\n', "")

    with pytest.raises(ProfileInvalid) as refused:
        read_profile(wrong, "club.toml")
    for problem in refused.value.problems:
        assert f"MEMBERSHIPS_EXPORT_PROFILE club.toml: {problem}\n" in text_of("docs/profiles.md")


@pytest.mark.parametrize("kind", get_args(AnyPaginator))
def test_every_way_of_paging_has_its_section(kind: Any) -> None:  # noqa: ANN401  (a table of the profile)
    assert f"\n## `{kind.__struct_config__.tag}`\n" in text_of("docs/paging.md")
    assert f'`type = "{kind.__struct_config__.tag}"`' in text_of("docs/existing-api.md")


@pytest.mark.parametrize("grade", Grade)
def test_what_members_read_about_a_grade_is_in_the_docs(grade: Grade) -> None:
    told = completeness_text(Progress(grade=grade, rows=240))

    assert f"| *{grade}* |" in text_of("docs/paging.md")
    assert f"| {told} |" in text_of("docs/paging.md")


def test_the_headings_and_the_filter_in_the_docs_are_those_of_the_profile_beside_them() -> None:
    doc = text_of("docs/existing-api.md")
    profile = read_profile(code_of(doc, "toml")[1], "club.toml").profile
    translate = Catalogues().into("de")
    told = headings(profile.columns, Options(language="de", time_zone="Europe/Zurich"), translate)

    assert told == ["Nummer", "Preis", "Eingetreten (Europe/Zurich)", "Gültig bis", "Status"]
    assert all(f"*{heading}*" in " ".join(doc.split()) for heading in told)
    asked = Ask(profile, User("2000", ""), 100, {"status": "active"}).page(None)
    assert f"GET {asked.path}?{asked.query}" in doc


def test_the_row_in_the_docs_is_read_by_the_profile_beside_it() -> None:
    doc = text_of("docs/existing-api.md")
    (text, *_), (body, *_) = code_of(doc, "toml"), code_of(doc, "json")
    reader = reader_of(read_profile(text, "club.toml"))
    rows = reader.read(Answer(body.encode())).rows

    assert list(reader.owners(rows)) == ["2000"]
    assert [cells[0] for cells in reader.table(rows).cells] == ["17", "Premium", "29.90", "2024-01-01", None, "active"]
