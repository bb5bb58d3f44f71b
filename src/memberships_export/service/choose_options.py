"""What was said about a file becomes its options, by the profile in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from memberships_export.domain.formats.options import Likes, Options, ZoneNames
from memberships_export.ports import Readers

_MOST = 1000  # likes that are remembered; clients may say what they like


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseOptions:
    """The same at the API, and at a worker that is asked by a plain message."""

    readers: Readers
    zone_names: ZoneNames
    usual: Likes  # of whoever is not known to like anything else
    _plain: dict[Likes, Options] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, said: Mapping[str, object], likes: Likes = Likes()) -> Options:
        """Return the options that this JSON object asks for. Raises InvalidOptions.

        Most say nothing, and like what others like: what comes of that is known.
        """
        if said:
            return self._choose(said, likes)
        known = self._plain.get(likes)
        if known is None:
            if len(self._plain) >= _MOST:
                self._plain.clear()
            known = self._plain[likes] = self._choose(said, likes)
        return known

    def _choose(self, said: Mapping[str, object], likes: Likes) -> Options:
        # Takes long to load, and a function whose messages name their export does not wait for it.
        from memberships_export.domain.formats.choosing import Offer, choose  # noqa: PLC0415
        from memberships_export.domain.formats.said import read_wanted  # noqa: PLC0415

        offer = Offer(profile=lambda: self.readers.current.profile, zone_names=self.zone_names)
        return choose(read_wanted(said), offer, likes.then(self.usual))
