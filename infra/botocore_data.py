"""What botocore knows of AWS, cut down to what a function asks for: it is read with every cold start."""

import gzip
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

# Each operation that adapters/aws calls.
OPERATIONS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset({"BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query", "TransactWriteItems"}),
    "secretsmanager": frozenset({"GetSecretValue"}),
    "sqs": frozenset(
        {
            "CancelMessageMoveTask",
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "GetQueueAttributes",
            "ListMessageMoveTasks",
            "PurgeQueue",
            "ReceiveMessage",
            "SendMessage",
            "StartMessageMoveTask",
        }
    ),
}
SERVICES = OPERATIONS.keys()
_SHARED = frozenset({"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"})
_MODELS = ("service-2.json.gz", "endpoint-rule-set-1.json.gz")


def unneeded(data: Path) -> list[Path]:
    """Return what describes other services (there are 400), and examples, paginators and waiters."""
    others = [path for path in data.iterdir() if path.name not in SERVICES | _SHARED]
    return [*others, *(path for path in data.glob("*/*/*") if path.name not in _MODELS)]


def slim(data: Path) -> None:
    """Rewrite what is left: endpoints of our services only, models of our operations without their documentation."""
    endpoints = data / "endpoints.json"
    _write(endpoints, _of_our_services(json.loads(endpoints.read_bytes())))
    for model in data.glob("*/*/service-2.json.gz"):
        whole = json.loads(gzip.decompress(model.read_bytes()))
        ours = _of_our_operations(whole, OPERATIONS[model.parents[1].name])
        _write(model.with_suffix(""), _without_documentation(ours))
        model.unlink()


def _of_our_services(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        partition["services"] = {name: service for name, service in partition["services"].items() if name in SERVICES}
    return endpoints


def _of_our_operations(model: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    operations = {name: operation for name, operation in model["operations"].items() if name in names}
    shapes, needed, left = model["shapes"], set[str](), set(_shapes_in(operations))
    while left:
        needed |= left
        left = {name for shape in left for name in _shapes_in(shapes[shape])} - needed
    return {**model, "operations": operations, "shapes": {name: shapes[name] for name in shapes if name in needed}}


def _shapes_in(value: Any) -> Iterator[str]:  # noqa: ANN401  (any JSON value)
    """Return the names of the shapes that are used in there."""
    for name, entry in value.items() if isinstance(value, dict) else enumerate(value):
        if name == "shape" and isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict | list):
            yield from _shapes_in(entry)


def _without_documentation(value: Any) -> Any:  # noqa: ANN401  (any JSON value)
    if isinstance(value, dict):
        return {
            name: _without_documentation(entry)
            for name, entry in value.items()
            if name != "documentation" or not isinstance(entry, str)
        }
    return [_without_documentation(entry) for entry in value] if isinstance(value, list) else value


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, separators=(",", ":")), encoding="utf-8")
