"""Templates to test with: each combination of parameters is synthesised once, by the command a person uses."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig.aws.synthesis import run_app, stand_in_bundle

ROOT = Path(__file__).parents[2]
EXISTING = "https://api.example.org"
PROFILE_SECRETS = [
    f"arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/{name}" for name in ("a-AbCdEf", "b-123456")
]
SMALLEST_NETWORK = "192.168.64.128/25"


@dataclass(frozen=True, slots=True)
class Synthesised:
    """One synthesised stack and what was written beside it."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "MembershipsExport.template.json"

    @property
    def template(self) -> dict[str, Any]:
        return read(self.file)

    @property
    def report(self) -> dict[str, Any]:
        return read(self.folder / "validation-report.json")

    @property
    def metadata(self) -> dict[str, list[dict[str, Any]]]:
        return read(self.folder / "MembershipsExport.metadata.json")

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by logical id."""
        resources = self.template["Resources"].items()
        return {name: found.get("Properties", {}) for name, found in resources if found["Type"] == f"AWS::{kind}"}


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@dataclass(slots=True)
class Synthesiser:
    """Synthesises each combination once per session."""

    folder: Path
    _done: dict[tuple[str, str], Synthesised] = field(default_factory=dict)

    @property
    def bundle(self) -> Path:
        """Something to upload in place of the functions' code."""
        return stand_in_bundle(self.folder)

    def __call__(self, topology: str = "one", memberships_url: str = "") -> Synthesised:
        key = (topology, memberships_url)
        if key not in self._done:
            self._done[key] = self.fresh(topology, memberships_url, f"{topology}-{bool(memberships_url)}")
        return self._done[key]

    def fresh(self, topology: str, memberships_url: str, name: str, **more: str) -> Synthesised:
        """Synthesise, also when it was done before."""
        output = self.folder / name
        given = {
            "topology": topology,
            "membershipsUrl": memberships_url,
            "profileSecretArns": ", ".join(PROFILE_SECRETS) if memberships_url else "",
            "alarmEmail": "operations@example.org",
            "concurrency": "7",
            "vpcCidr": SMALLEST_NETWORK,
            **more,
        }
        done = run_app(output, self.bundle, given)
        assert done.returncode == 0, done.stdout + done.stderr
        return Synthesised(output)
