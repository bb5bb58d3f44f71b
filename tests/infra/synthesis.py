"""Templates to test with: each combination of parameters is synthesised once, by the command a person uses."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from rig.aws.synthesis import run_app, stand_in_bundle
from tests.once import Once

ROOT = Path(__file__).parents[2]
EXISTING = "https://api.example.org"
PROFILE_SECRETS = [
    f"arn:aws:secretsmanager:eu-central-1:111122223333:secret:club/{name}" for name in ("a-AbCdEf", "b-123456")
]
SMALLEST_NETWORK = "192.168.64.128/25"
OWN_SERVER = {
    "smtpHost": "email-smtp.eu-central-1.amazonaws.com",
    "smtpUser": "AKIAEXAMPLE",
    "jwtIssuer": "https://login.example.org",
    "profile": "memberships",
    "plainHttpHosts": "api.internal",
}


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


@dataclass(frozen=True, slots=True)
class Synthesiser:
    """Synthesises each combination once, whichever worker asks first."""

    once: Once

    @property
    def bundle(self) -> Path:
        """Something to upload in place of the functions' code."""
        return self.once("stand-in", stand_in_bundle) / "stand-in.zip"

    def __call__(self, topology: str = "one", memberships_url: str = "", **more: str) -> Synthesised:
        wanted = json.dumps([topology, memberships_url, more], sort_keys=True)
        name = f"stack-{sha256(wanted.encode()).hexdigest()[:16]}"
        return Synthesised(self.once(name, lambda folder: self.fresh(folder, topology, memberships_url, **more)))

    def fresh(self, output: Path, topology: str = "one", memberships_url: str = "", **more: str) -> Synthesised:
        """Synthesise into this folder, also when it was done before."""
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
