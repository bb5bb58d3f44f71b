"""What packages load at their start and no function needs: modules that are replaced in the bundle by lighter ones."""

from collections.abc import Mapping
from pathlib import Path

_NO_DOCSTRINGS = '''\
class ClientMethodDocstring(str):
    """Stands for what `help` would show."""

    def __new__(cls, **_about):
        return super().__new__(cls)


PaginatorDocstring = WaiterDocstring = ClientMethodDocstring
'''
_NO_KEY_SETS = """\
class PyJWKClient:
    \"\"\"Stands for what reads keys of an identity provider, which no function does.\"\"\"
"""
_REPLACED: Mapping[str, str] = {
    # Writes the documentation of clients, and loads a parser of HTML for that.
    "botocore/docs/__init__.py": "",
    "botocore/docs/docstring.py": _NO_DOCSTRINGS,
    # Loads urllib.request, and with it what handles temporary files and four kinds of archives.
    "jwt/jwks_client.py": _NO_KEY_SETS,
    # Switches HTTP/2 on, and loads importlib.metadata and zipfile to look for a package that is not there.
    "urllib3/http2/__init__.py": "",
}


def lighten(folder: Path) -> None:
    """Replace them. Raises FileNotFoundError when a package has one no more: then look for what it loads now."""
    for name, text in _REPLACED.items():
        (folder / name).resolve(strict=True).write_text(text, encoding="utf-8")
