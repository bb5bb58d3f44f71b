"""What a cold function loads."""

import subprocess
import sys

UNNEEDED = {"email.headerregistry", "fastapi", "jinja2", "smtplib", "sqlite3"}


def test_a_function_that_mails_through_sendgrid_starts_without_smtp() -> None:
    code = (
        "import sys, memberships_export.bootstrap.aws, memberships_export.entrypoints.aws_lambda.functions; "
        f"print(sorted({UNNEEDED} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
