"""What the checkers say of each combination: cdk-nag, cfn-lint, and our own questions to the whole template."""

import re
from pathlib import Path

import pytest
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]

from tests.infra.synthesis import EXISTING, Synthesiser

COMBINATIONS = [(topology, url) for topology in ("one", "split") for url in ("", EXISTING)]
each_combination = pytest.mark.parametrize("topology, url", COMBINATIONS)

# Finding of cfn-lint -> why it is accepted.
ACCEPTED = {
    "W3005": "The CDK makes a function wait for its role and the role's policy in one line; half of it is said twice.",
}


@each_combination
def test_cdk_nag_finds_nothing_that_is_not_accepted(synth: Synthesiser, topology: str, url: str) -> None:
    assert synth(topology, url).report["pluginReports"] == []


@each_combination
def test_every_accepted_finding_has_its_reason(synth: Synthesiser, topology: str, url: str) -> None:
    accepted = [
        (finding, reason)
        for entries in synth(topology, url).metadata.values()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for finding, reason in entry["data"].items()
    ]

    assert any("AwsSolutions-IAM5" in finding for finding, _ in accepted)
    assert [finding for finding, reason in accepted if len(reason) < 40] == []


@each_combination
def test_cfn_lint_finds_nothing_that_is_not_accepted(synth: Synthesiser, topology: str, url: str) -> None:
    text = synth(topology, url).file.read_text(encoding="utf-8")
    found = lint(text, config=ManualArgs(regions=["eu-central-1"], include_checks=["W", "E"]))

    assert [f"{match.rule.id} {match.message}" for match in found if match.rule.id not in ACCEPTED] == []


def test_cfn_lint_does_find_a_mistake(synth: Synthesiser) -> None:
    text = synth().file.read_text(encoding="utf-8").replace('"VisibilityTimeout": 5400', '"VisibilityTimeout": "long"')

    found = lint(text, config=ManualArgs(regions=["eu-central-1"]))
    assert "E3012" in {match.rule.id for match in found}


def test_the_same_parameters_give_the_same_template(synth: Synthesiser, tmp_path: Path) -> None:
    again = synth.fresh(tmp_path)

    assert again.file.read_bytes() == synth().file.read_bytes()


@each_combination
def test_the_template_names_no_account_but_those_of_its_parameters(synth: Synthesiser, topology: str, url: str) -> None:
    text = synth(topology, url).file.read_text(encoding="utf-8")

    assert set(re.findall(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", text)) == {"111122223333"}
    assert not re.search(r"arn:aws:(?!acm|secretsmanager)", text)


@each_combination
def test_nothing_is_made_by_a_function_of_the_cdk(synth: Synthesiser, topology: str, url: str) -> None:
    stack = synth(topology, url)
    types = {resource["Type"] for resource in stack.template["Resources"].values()}

    assert [
        kind for kind in types if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"
    ] == []
    names = {found["FunctionName"] for found in stack.of_type("Lambda::Function").values()}
    assert len(names) == len(stack.of_type("Lambda::Function"))
