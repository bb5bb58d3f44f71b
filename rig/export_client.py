"""A member's program: asks the service for an export over HTTP, and how it is doing."""

import json
from collections.abc import Callable
from typing import Any

import urllib3

from rig.waiting import PATIENCE_SECONDS, until

Answer = dict[str, Any]


class ExportClient:
    """One user of one running service. Answers are the JSON that came, with the `status_code`."""

    def __init__(self, url: str, token: Callable[[], str]) -> None:
        self.url = url
        self._token = token
        self._http = urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS)

    def request(self, query: str = "") -> Answer | None:
        """Ask for an export, with options such as `?format=xlsx`; None when the service died instead of answering."""
        answer = self._ask("GET", f"/memberships/export{query}")
        assert answer is None or answer["status_code"] in (200, 202), answer
        return answer

    def status(self, export_id: str) -> Answer:
        answer = self._ask("GET", f"/memberships/exports/{export_id}")
        assert answer is not None, "The service does not answer."
        return answer

    def ended(self, export_id: str, tell: Callable[[], str] = lambda: "") -> Answer:
        """Wait until the export is completed, failed or cancelled, and return its status."""
        answers: list[Answer] = []

        def look() -> bool:
            answers[:] = [self.status(export_id)]
            return answers[0]["status"] not in ("queued", "running", "waiting")

        until(look, "an end", progress=lambda: list(answers), tell=tell)
        return answers[0]

    def ask(self, method: str, path: str) -> Answer:
        """Make any other request, and follow no redirect."""
        answer = self._ask(method, path)
        assert answer is not None, "The service does not answer."
        return answer

    def answers(self) -> bool:
        """Tell whether the service is up."""
        return self._ask("GET", "/healthz") is not None

    def close(self) -> None:
        self._http.clear()

    def _ask(self, method: str, path: str) -> Answer | None:
        headers = {"Authorization": f"Bearer {self._token()}"}
        try:
            response = self._http.request(method, self.url + path, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError:
            return None
        is_json = "json" in response.headers.get("Content-Type", "")
        location = {"location": response.headers["Location"]} if "Location" in response.headers else {}
        return {"status_code": response.status, **location, **(json.loads(response.data) if is_json else {})}
