"""Exports by a profile that is deployed along with the function, with its secret in Secrets Manager."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from infra.profile import checked_profile, code_with, in_function
from memberships_export.domain.export.record import Export, ExportStatus
from rig.aws.aws_faults import Fault
from rig.aws.bare_deployment import BareDeployment
from rig.aws.built_bundle import unpack
from rig.aws.fake_aws import REGION
from rig.services.apis.held import Holdings
from rig.services.apis.payments import Stripe
from tests.apis.exports import USER, profile_text
from tests.life.test_killed_by_other_profiles import PAGE, ROWS, undisturbed


@pytest.fixture
def api() -> Iterator[Stripe]:
    with Stripe(Holdings({USER: ROWS, "43": 2}), cap=PAGE) as fake:
        yield fake


@pytest.fixture
def club(tmp_path: Path, deployment: BareDeployment) -> Path:
    """Write the profile as an operator does: the key is a secret of the account."""
    name = deployment.queues.url.rsplit("/", 1)[1]
    client = boto3.client("secretsmanager", region_name=REGION)
    arn = client.create_secret(Name=f"{name}-stripe", SecretString="sk_test")["ARN"]
    path = tmp_path / "club.toml"
    path.write_text(profile_text("stripe").replace("env:STRIPE_API_KEY", f"secret:{arn}"), encoding="utf-8")
    return path


@pytest.fixture
def deployed(tmp_path: Path, zip_here: Path, club: Path, api: Stripe, deployment: BareDeployment) -> Path:
    """Return the code that a deployment with this profile uploads, as Lambda unpacks it."""
    profile, folder = checked_profile(str(club)), tmp_path / "task"
    with code_with(zip_here, profile) as bundle:
        unpack(bundle, folder)
    place = in_function(profile).replace("/var/task", str(folder))
    patient = {"LEASE_SECONDS": "3600", "MEMBERSHIPS_TIMEOUT_SECONDS": "600"}  # nothing ends before the test ends it
    deployment.with_settings(MEMBERSHIPS_URL=api.url, PROFILE=place, **patient)
    return folder


def completed(deployment: BareDeployment, export: Export) -> Export:
    deployment.until(lambda: deployment.record_of(export).status is ExportStatus.COMPLETED, "the export to complete")
    return deployment.record_of(export)


def profile_texts(deployment: BareDeployment, export: Export) -> dict[str, str]:
    """What lies beside the parts, by key."""
    bucket = deployment.environ["MEMBERSHIPS_EXPORT_BUCKET"]
    listed = deployment.aws.s3.list_objects_v2(Bucket=bucket, Prefix=f"parts/{export.export_id}/profile-")
    keys = [found["Key"] for found in listed["Contents"]]
    return {key: deployment.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}


def test_an_export_by_a_deployed_profile_keeps_its_text_beside_its_pages(
    deployment: BareDeployment, deployed: Path, club: Path, api: Stripe
) -> None:
    export = deployment.ask(api.user_prefix + USER)
    with deployment.exporter(deployed) as function, deployment.mapping(function):
        done = completed(deployment, export)

    (mail,) = deployment.sendgrid.accepted
    assert (mail.attachment, len(api.calls)) == undisturbed("stripe")
    key = f"parts/{export.export_id}/profile-{done.profile}.toml"
    assert profile_texts(deployment, export) == {key: club.read_text(encoding="utf-8")}


def test_killed_between_page_and_checkpoint_it_goes_on_by_its_own_profile_though_another_is_deployed(
    deployment: BareDeployment, deployed: Path, api: Stripe
) -> None:
    export = deployment.ask(api.user_prefix + USER)
    faults = deployment.aws.faults
    page = faults.hold("S3 PUT", f"parts/{export.export_id}/0-000001-")

    with deployment.exporter(deployed) as function, deployment.mapping(function) as mapping:
        deployment.until(page.arrived.is_set, "the second page being stored")
        deployment.until(lambda: len(api.calls) == 3, "the call for the third one")
        checkpoint = faults.hold("PutItem")
        page.released.set()
        deployment.until(checkpoint.arrived.is_set, "its checkpoint being written")
        in_force = deployed / "club.toml"
        in_force.write_text(in_force.read_text(encoding="utf-8").replace('en = "ID"', 'en = "Number"'))
        function.kill()
        mapping.until_invoked(1)
        never = Fault(name="PutItem")
        faults.coming.append(never)
        checkpoint.released.set()
        deployment.until(lambda: never not in faults.coming, "the end of a checkpoint that is never written")
        deployment.let_lease_end(export)
        done = completed(deployment, export)

        assert done.claims == 2
        (mail,) = deployment.sendgrid.accepted
        expected, calls = undisturbed("stripe")
        assert mail.attachment == expected
        assert len(api.calls) == calls + 1, "one page was under way; none that was stored is fetched again"
        assert [key.partition("profile-")[2] for key in profile_texts(deployment, export)] == [f"{done.profile}.toml"]

        later = completed(deployment, deployment.ask(api.user_prefix + USER))
        assert later.profile != done.profile
        attached = deployment.sendgrid.accepted[1].attachment
        assert attached is not None
        assert attached.startswith(b'\xef\xbb\xbf"Number",')
