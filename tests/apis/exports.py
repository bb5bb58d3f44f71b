"""An export of one fake by its profile, through the real use cases and real HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, cast

from memberships_export.adapters.source.call import MembershipsHttp
from memberships_export.adapters.source.profile_secrets import ProfileSecrets
from memberships_export.bootstrap.parts import utc_now
from memberships_export.domain.export.record import Export
from memberships_export.domain.formats.options import Preset, of_preset
from rig.services.apis.every import EVERY, VENDORS
from rig.services.apis.fake_api import FakeApi
from rig.services.apis.held import Held, Holdings
from tests.apis.expected import read, table
from tests.fakes.world import World, attachment
from tests.readers import SHIPPED, a_reader, readers

HERE = Path(__file__).parent
USER = "42"
SECRETS = {
    "PRETIX_TOKEN": "pretix-token",
    "WORDPRESS_USER": "export",
    "WORDPRESS_PASSWORD": "abcd efgh ijkl",
    "WOOCOMMERCE_KEY": "ck_key",
    "WOOCOMMERCE_SECRET": "cs_secret",
    "STRIPE_API_KEY": "sk_test",
    "PADDLE_API_KEY": "pdl_test",
    "CHARGEBEE_API_KEY": "cb_key",
    "RECHARGE_TOKEN": "rc_token",
    "HITOBITO_TOKEN": "hitobito-token",
    "API_KEY": "plain-key",
    "API_CLIENT_ID": "export",
    "API_CLIENT_SECRET": "s3cret",
}
OWN_SECRETS = {
    "jsonapi": {"API_TOKEN": "jsonapi-token"},
    "sparse": {"API_TOKEN": "sparse-token"},
    "arrays": {"API_TOKEN": "sparse-token"},
    "offset": {"API_KEY": "offset-key"},
}
UNPAGED = {"plain-array", "nested-array"}
# Of these the mount is part of the paths in the profile.
AT_ROOT = {"chargebee", "hitobito"}


def profile_text(name: str) -> str:
    """The profile as it is shipped, or as a test has it."""
    folder = SHIPPED if name in VENDORS else HERE / "profiles"
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


class Case:
    """One fake, and an export of its first user.

    `changed`: what to write in the profile in place of something else; `more`: at its end.
    """

    def __init__(  # noqa: PLR0913  (each says one thing of the case)
        self,
        name: str,
        *switches: str,
        rows: int = 7,
        cap: int | None = 3,
        script: Sequence[str] = (),
        changed: Mapping[str, str] = MappingProxyType({}),
        more: str = "",
        **policy: Any,  # noqa: ANN401  (fields of Policy)
    ) -> None:
        self.name = name
        cap = None if name in UNPAGED else cap
        self.api = EVERY[name](Holdings({USER: rows, "43": 2}), *switches, cap=cap, script=script)
        text = profile_text(name).replace("https://login.example.org", self.api.origin)
        for old, new in changed.items():
            assert old in text
            text = text.replace(old, new)
        self.text = text + more
        secrets = ProfileSecrets(SECRETS | OWN_SECRETS.get(name, {}))
        url = self.api.origin if name in AT_ROOT else self.api.url
        source = MembershipsHttp(url, service_token=lambda _: "no token", clock=utc_now, secrets=secrets)
        self.world = World(source=cast("Any", source), **policy)
        self.use(self.text)

    def use(self, text: str) -> None:
        """Put a profile in force from now on."""
        ports = replace(self.world.ports, readers=readers(a_reader(text, self.name)))
        self.world.services = self.world.over(ports)

    def __enter__(self) -> Self:
        self.api.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.api.__exit__()

    @property
    def user(self) -> str:
        """The user's id, as the API has it."""
        return self.api.user_prefix + USER

    def run(self, user: str = "") -> Export:
        """Export once, without letting time pass."""
        export = self.world.request(user or self.user, of_preset(Preset.RAW))
        self.world.work()
        return self.world.export(export)

    def run_to_the_end(self, user: str = "") -> Export:
        """Export, and let time pass until nothing more will happen."""
        export = self.run(user)
        while export.unfinished:
            self.world.pass_time()
            export = self.world.export(export)
        return export

    def held(self) -> list[Held]:
        """What the API shows of the user now, in its order."""
        return shown(self.api, self.name)

    def expected(self) -> list[dict[str, str]]:
        """What the file must hold."""
        return table(self.name, self.held())

    def mailed(self) -> list[dict[str, str]]:
        """What the one file that was mailed holds."""
        (mail,) = self.world.mails
        return read(attachment(mail))


def shown(api: FakeApi, name: str) -> list[Held]:
    rows = [held for held in api.holdings.of[USER] if name != "hitobito" or held.state != "ended"]
    return rows[::-1] if api.newest_first else rows
