"""What a user may choose about a file, so that a form can be built from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memberships_export.domain.formats.headings import label_of, label_of_filter
from memberships_export.domain.formats.options import Likes, Options
from memberships_export.domain.formats.zones import places, search_zones
from memberships_export.domain.source.profile import Column, Filter
from memberships_export.ports import Readers, Translations
from memberships_export.service.choose_options import ChooseOptions

MOST_ZONES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What of it a user wants to see: labels in a language, zones that have a text in their names."""

    language: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What of it depends on the profile, the user and what they look for."""

    language: str  # of the labels
    columns: Sequence[tuple[Column, str]]  # with their labels
    filters: Mapping[str, tuple[Filter, str]]  # by name, with their labels
    zones: int  # how many there are
    zones_found: Sequence[str]
    defaults: Options  # what who says nothing gets


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOptions:
    """The use case behind `GET /memberships/exports/options`."""

    choose: ChooseOptions
    readers: Readers
    translations: Translations

    def __call__(self, looking: Looking, likes: Likes) -> Offered:
        """Tell it. Raises InvalidOptions for a language that there is not."""
        profile, defaults = self.readers.current.profile, self.choose({}, likes)
        said = {} if looking.language is None else {"language": looking.language}
        language = self.choose(said, likes).language
        translate, zones = self.translations.into(language), places(self.choose.zone_names())
        return Offered(
            language=language,
            columns=[(column, label_of(column, language, translate)) for column in profile.columns],
            filters={
                name: (known, label_of_filter(name, known, language, translate))
                for name, known in profile.filters.items()
            },
            zones=len(zones),
            zones_found=search_zones(looking.zone, zones, MOST_ZONES) if looking.zone else (),
            defaults=defaults,
        )
