"""The files of docs/deploy, as far as they can be judged without the programs that read them."""

import re
from pathlib import Path

import pytest

from memberships_export.entrypoints.cli.exits import ExitCode
from memberships_export.settings import PREFIX, read_settings

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
PAGE = DEPLOY.parent / "deploy-one-machine.md"
FILES = sorted(DEPLOY.iterdir())
ROUTES = (
    "/memberships/export",
    "/memberships/exports",
    "/memberships/exports/6f1c1f3e-7f0e-4a59-9d2f-0d7f4b1f8c11",
    "/memberships/exports/6f1c1f3e-7f0e-4a59-9d2f-0d7f4b1f8c11/file",
    "/memberships/exports/6f1c1f3e-7f0e-4a59-9d2f-0d7f4b1f8c11/download/token",
    "/webhooks/sendgrid",
)
HIDDEN = ("/", "/healthz", "/readyz", "/memberships", "/openapi.json", "/metrics", "/webhooks")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def unit() -> dict[str, str]:
    lines = [line for line in text_of("memberships-export.service").splitlines() if re.match(r"[A-Za-z]+=", line)]
    return dict(line.split("=", maxsplit=1) for line in lines)


def variables(*, with_comments: bool) -> dict[str, str]:
    text = text_of("memberships-export.env")
    text = re.sub(rf"^#(?={PREFIX})", "", text, flags=re.MULTILINE) if with_comments else text
    return dict(line.split("=", maxsplit=1) for line in text.splitlines() if line.startswith(PREFIX))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_page_tells_of_every_file(file: Path) -> None:
    assert f"(deploy/{file.name})" in PAGE.read_text(encoding="utf-8")


def test_the_settings_are_ones_that_the_service_takes() -> None:
    assert read_settings(variables(with_comments=False)).public_url == "https://club.example.org"
    filled = {name: value or "x" * 40 for name, value in variables(with_comments=True).items()}
    assert read_settings(filled).mailer == "sendgrid"


def test_the_unit_runs_the_service_where_the_settings_say() -> None:
    assert unit()["ExecStart"].split("/")[-1] == "memberships-export serve"
    assert unit()["EnvironmentFile"] == "/etc/memberships-export.env"
    folder = variables(with_comments=False)["MEMBERSHIPS_EXPORT_DATA_DIR"]
    assert folder == unit()["WorkingDirectory"] == f"/var/lib/{unit()['StateDirectory']}"


def test_wrong_settings_do_not_start_the_unit_again_and_again() -> None:
    assert unit()["RestartPreventExitStatus"] == str(int(ExitCode.USAGE))


def test_the_container_runs_the_same_service_with_its_data_in_the_volume() -> None:
    text = text_of("compose.yaml")
    assert 'command: ["memberships-export", "serve"]' in text
    assert f"env_file: {DEPLOY / 'memberships-export.env'}".endswith(re.findall(r"env_file: (\S+)", text)[0])
    assert re.findall(r"^      (MEMBERSHIPS_EXPORT_DATA_DIR: \S+)$", text, re.MULTILINE) == [
        "MEMBERSHIPS_EXPORT_DATA_DIR: /data"
    ]
    assert "- data:/data" in text
    assert '- "127.0.0.1:8000:8000"' in text


def nginx_takes(text: str, path: str) -> bool:
    for kind, place in re.findall(r"^location (~|=|) ?(\S+) \{$", text, re.MULTILINE):
        expression = place.replace("(?<", "(?P<")
        if kind == "~" and re.search(expression, path):
            return True
        if (path == place) if kind == "=" else path.startswith(place):
            return True
    return False


def caddy_takes(path: str) -> bool:
    places = " ".join(re.findall(r"^\t@\w+ path (.+)$", text_of("Caddyfile"), re.MULTILINE)).split()
    return any(path.startswith(place[:-1]) if place.endswith("*") else path == place for place in places)


@pytest.mark.parametrize("path", ROUTES)
def test_proxies_send_the_routes_of_the_export_to_it(path: str) -> None:
    assert nginx_takes(text_of("nginx.conf"), path)
    assert nginx_takes(text_of("nginx-below-a-path.conf"), f"/club{path}")
    assert caddy_takes(path)
    assert caddy_takes(f"/club{path}")


@pytest.mark.parametrize("path", HIDDEN)
def test_proxies_send_nothing_else_to_it(path: str) -> None:
    assert not nginx_takes(text_of("nginx.conf"), path)
    assert not nginx_takes(text_of("nginx-below-a-path.conf"), f"/club{path}")
    assert not caddy_takes(path)
    assert not caddy_takes(f"/club{path}")
