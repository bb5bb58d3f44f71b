"""Containers with several cores: the same processes of API and workers, over AWS."""

import os
import subprocess
from pathlib import Path

from memberships_export.domain.export.record import ExportStatus
from rig.aws.bare_deployment import BareDeployment
from rig.waiting import PATIENCE_SECONDS, until
from tests.e2e.command_line import PROGRAM


def test_several_processes_answer_and_work_over_aws(deployment: BareDeployment, tmp_path: Path) -> None:
    asked = deployment.ask()
    log = tmp_path / "log"
    own = {"PATH": os.environ["PATH"], "MEMBERSHIPS_EXPORT_PORT": "0", "MEMBERSHIPS_EXPORT_JWT_SECRET": "j" * 40}
    with log.open("wb") as err:
        process = subprocess.Popen(
            [PROGRAM, "serve", "--workers", "2", "--api-processes", "2"],
            env=deployment.environ | deployment.aws.variables | own,
            stderr=err,
        )
        try:
            until(
                lambda: (deployment.record_of(asked).status, started(log)) == (ExportStatus.COMPLETED, 4),
                "the export to complete, and all processes, of which only one was needed for that",
                progress=lambda: log.stat().st_size,
                tell=log.read_text,
            )
            threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
        finally:
            process.terminate()
            status = process.wait(PATIENCE_SECONDS)
    assert threads == 1, "the parent forks, so no client of AWS may have begun a thread in it"
    assert (status, started(log)) == (0, 4)
    assert "event=stopped clean=true" in log.read_text()


def started(log: Path) -> int:
    return log.read_text().count("event=process_started")
