"""Reads from a template who may do what: the policies are turned into a plain table."""

from collections.abc import Iterator
from typing import Any

from tests.infra.synthesis import Synthesised

Table = dict[str, dict[str, set[str]]]


def permissions_of(stack: Synthesised) -> Table:
    """Return role -> resource -> actions, with the short names of the tests; the key and the own log are left out."""
    table: Table = {}
    for policy in stack.of_type("IAM::Policy").values():
        for reference in policy["Roles"]:
            granted = table.setdefault(_short(reference["Ref"]), {})
            for statement in policy["PolicyDocument"]["Statement"]:
                for resource in _listed(statement["Resource"]):
                    granted.setdefault(name_of(stack, resource), set()).update(_listed(statement["Action"]))
    return table


def roles(stack: Synthesised) -> dict[str, dict[str, Any]]:
    """Return the properties of the roles by the short names of the tests."""
    return {_short(name): properties for name, properties in stack.of_type("IAM::Role").items()}


def name_of(stack: Synthesised, resource: Any) -> str:  # noqa: ANN401  (JSON)
    """Return the short name of a resource of a policy, such as `parts/*` or `membership_exports_dlq`."""
    logical_id, rest = "", ""
    for part in _parts(resource):
        if isinstance(part, dict):
            logical_id = part["Fn::GetAtt"][0] if "Fn::GetAtt" in part else logical_id or str(part.get("Ref", ""))
        elif logical_id:
            rest += part
    found = stack.template["Resources"].get(logical_id)
    if found is None:
        return str(resource)
    return _named(found, logical_id) + rest.lstrip() if rest else _named(found, logical_id)


def _named(found: dict[str, Any], logical_id: str) -> str:
    queue: str | None = found.get("Properties", {}).get("QueueName")
    return queue or _short(logical_id)


def _parts(resource: Any) -> Iterator[Any]:  # noqa: ANN401  (JSON)
    if isinstance(resource, dict) and "Fn::Join" in resource:
        yield from resource["Fn::Join"][1]
    else:
        yield resource


def _short(logical_id: str) -> str:
    """Cut off the CDK's hash: FetchMembershipsRole9431485C -> FetchMembershipsRole."""
    return logical_id[:-8]


def _listed(value: Any) -> list[Any]:  # noqa: ANN401  (JSON)
    return value if isinstance(value, list) else [value]
