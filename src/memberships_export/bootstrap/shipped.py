"""What comes with the service, for those who look before they choose."""

from memberships_export.adapters.source.profile_file import schema_text, shipped_descriptions, shipped_text

__all__ = ["schema_text", "shipped_descriptions", "shipped_text"]
