"""What all JSON that clients see has in common: names in camelCase."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class View(BaseModel):
    """A part of an answer."""

    # What can be null has a default only for the document: FastAPI drops nulls from examples, and they must still fit.
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)
