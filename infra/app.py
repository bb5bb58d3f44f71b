"""The CDK app: parameters from the CDK's context, one stack, one template. `make synth` runs it."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from infra import manifest
from infra.node import use_packaged_node
from infra.parameters import ParameterError, read_parameters
from infra.profile import code_with

_DEFAULTS = Path(__file__).with_name("cdk.json")


def main() -> None:
    """Write the template. Wrong parameters end the program with a text that names each."""
    parser = argparse.ArgumentParser(prog="python -m infra.app", description="Write the CloudFormation template.")
    parser.add_argument("--output", default=os.environ.get("CDK_OUTDIR", "dist/cdk"), help="folder for what is written")
    parser.add_argument("-c", "--context", action="append", default=[], metavar="NAME=VALUE", help="set a parameter")
    options = parser.parse_args()
    defaults = json.loads(_DEFAULTS.read_text(encoding="utf-8"))["context"]
    try:
        synthesise(defaults | dict(entry.split("=", 1) for entry in options.context), Path(options.output))
    except ParameterError as error:
        sys.exit(str(error))


def synthesise(context: dict[str, Any], output: Path) -> None:
    """Write the template of these parameters, checked by cdk-nag; the CDK's command line may override parameters."""
    use_packaged_node(os.environ)
    from aws_cdk import App, Validations  # noqa: PLC0415  (importing it starts node)
    from cdk_nag import AwsSolutionsChecks  # noqa: PLC0415

    from infra.stack import MembershipsExportStack  # noqa: PLC0415

    app = App(context=context, outdir=str(output))
    parameters = read_parameters(app.node.get_all_context())
    if problems := manifest.problems(Path(parameters.bundle)):
        raise ParameterError("\n".join(problems))
    with code_with(Path(parameters.bundle), parameters.profile) as code:
        MembershipsExportStack(app, "MembershipsExport", parameters=parameters, code=code)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


if __name__ == "__main__":
    main()
