"""What was said about a file becomes its options, by the profile in force."""

from collections.abc import Mapping
from dataclasses import dataclass

from memberships_export.domain.formats.options import Likes, Options, ZoneNames
from memberships_export.ports import Readers


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseOptions:
    """The same at the API, and at a worker that is asked by a plain message."""

    readers: Readers
    zone_names: ZoneNames
    usual: Likes  # of whoever is not known to like anything else

    def __call__(self, said: Mapping[str, object], likes: Likes = Likes()) -> Options:
        """Return the options that this JSON object asks for. Raises InvalidOptions."""
        # Takes long to load, and a function whose messages name their export does not wait for it.
        from memberships_export.domain.formats.choosing import Offer, choose  # noqa: PLC0415
        from memberships_export.domain.formats.said import read_wanted  # noqa: PLC0415

        offer = Offer(profile=lambda: self.readers.current.profile, zone_names=self.zone_names)
        return choose(read_wanted(said), offer, likes.then(self.usual))
