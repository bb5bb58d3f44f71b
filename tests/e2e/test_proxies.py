"""The proxy files of docs/deploy in front of a running service, with the real programs where they are installed."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3

from rig.loopback import free_port
from rig.waiting import until
from tests.e2e.command_line import Running, data_of, environ_of, mails_of, run, running

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"
Start = Callable[[Path, str, int, str], AbstractContextManager[None]]
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{ listen 127.0.0.1:{port}; include {folder}/site.conf; location / {{ return 404; }} }}
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A proxy that listens. `base` is the URL at which users find the service behind it."""

    base: str
    folder: Path

    def ask(self, method: str, path: str, token: str = "") -> urllib3.BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return urllib3.request(method, self.base + path, headers=headers, retries=False, redirect=False)


def listens(port: int) -> bool | None:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0 or None


@contextmanager
def nginx(folder: Path, service: str, port: int, file: str) -> Iterator[None]:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx)")
    site = (DEPLOY / file).read_text().replace("http://127.0.0.1:8000", service)
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    with process([program, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log", "-p", str(folder)], port, folder):
        yield


@contextmanager
def caddy(folder: Path, service: str, port: int, file: str) -> Iterator[None]:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("caddy is not installed (Debian: apt-get install caddy)")
    site = (DEPLOY / file).read_text().replace("127.0.0.1:8000", service.removeprefix("http://"))
    site = site.replace("club.example.org {", f"http://127.0.0.1:{port} {{")  # no certificate on loopback
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + site)
    command = [program, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with process(command, port, folder):
        yield


@contextmanager
def process(command: list[str], port: int, folder: Path) -> Iterator[None]:
    log = folder / "proxy.log"
    environ = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with log.open("wb") as file:
        started = subprocess.Popen(command, env=environ, stdout=file, stderr=subprocess.STDOUT)
    try:
        until(lambda: listens(port) or started.poll() is not None, "the proxy listening", progress=log.read_text)
        assert started.poll() is None, log.read_text()
        yield
    finally:
        started.terminate()
        started.wait()


PROXIES = [
    pytest.param(nginx, "nginx.conf", "", id="nginx"),
    pytest.param(nginx, "nginx-below-a-path.conf", "/club", id="nginx below a path"),
    pytest.param(caddy, "Caddyfile", "", id="caddy"),
    pytest.param(caddy, "Caddyfile", "/club", id="caddy below a path"),
]


@pytest.mark.parametrize("start, file, path", PROXIES)
def test_an_export_behind_a_proxy(tmp_path: Path, start: Start, file: str, path: str) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}{path}"
    environ = environ_of(tmp_path / "data", public_url=base)
    with running(environ, tmp_path) as service, start(tmp_path, service.url, port, file):
        an_export_goes_through(service, Proxy(base, tmp_path))


def an_export_goes_through(service: Running, proxy: Proxy) -> None:
    member = service.as_user("user-1", "member@example.org")
    token = member.environ["MEMBERSHIPS_EXPORT_TOKEN"]
    environ = {**member.environ, "MEMBERSHIPS_EXPORT_URL": proxy.base}

    accepted = proxy.ask("GET", "/memberships/export", token)
    export_id = accepted.json()["exportId"]
    assert accepted.status == 202
    assert run(environ, "watch", export_id[:8]).returncode == 0
    assert run(environ, "list").stdout.count("completed") == 1
    assert proxy.ask("GET", f"/memberships/exports/{export_id}/file", token).status == 200
    assert len(mails_of(data_of(service), export_id)) == 1

    link = proxy.ask("GET", f"/memberships/exports/{export_id}/download/not-a-token")
    assert (link.status, link.json()["code"]) == (404, "unknown_export")
    assert proxy.ask("POST", "/webhooks/sendgrid").headers["Content-Type"] == "application/problem+json"
    for hidden in ("/healthz", "/readyz", "/memberships", "/openapi.json", "/webhooks", "/"):
        answer = proxy.ask("GET", hidden, token)
        assert (answer.status, b"code" in answer.data) == (404, False), hidden

    log = proxy.folder / "access.log"
    assert not log.exists() or "not-a-token" not in log.read_text()
