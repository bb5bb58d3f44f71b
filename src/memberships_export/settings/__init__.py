"""Settings: one frozen object, read once from environment variables."""

from memberships_export.settings.consistency import Problem
from memberships_export.settings.declared import Settings
from memberships_export.settings.kinds import MIN_SECRET
from memberships_export.settings.names import CLIENT_VARIABLES, PREFIX, variable
from memberships_export.settings.reading import SettingsError, read_settings

__all__ = [
    "CLIENT_VARIABLES",
    "MIN_SECRET",
    "PREFIX",
    "Problem",
    "Settings",
    "SettingsError",
    "read_settings",
    "variable",
]
