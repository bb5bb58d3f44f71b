"""Who may do what, in both topologies: the tables below are all permissions there are, but for key and own log."""

from typing import Any

import pytest

from tests.infra.permissions import Table, name_of, permissions_of, roles
from tests.infra.synthesis import EXISTING, PROFILE_SECRETS, Synthesised, Synthesiser

QUEUES = {
    "one": ["membership_exports"],
    "split": ["membership_exports", "membership_exports_render", "membership_exports_deliver"],
}
WORKERS = {
    "one": {"ExportMembershipsRole": "membership_exports"},
    "split": {
        "FetchMembershipsRole": "membership_exports",
        "RenderCsvRole": "membership_exports_render",
        "SendExportRole": "membership_exports_deliver",
    },
}

RECEIVE = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
}
SEND = {"sqs:SendMessage"}
READ_SECRET = {"secretsmanager:GetSecretValue"}
RECORD = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"}
LIST = {"dynamodb:BatchGetItem"}
GET, PUT, DELETE = {"s3:GetObject"}, {"s3:PutObject", "s3:AbortMultipartUpload"}, {"s3:DeleteObject"}
BUCKET = {"StorageFiles": {"s3:ListBucket"}}
KEY = {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}
NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
DESK = (RECEIVE - {"sqs:GetQueueUrl"}) | {
    "sqs:PurgeQueue",
    "sqs:StartMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:CancelMessageMoveTask",
    "sqs:ListDeadLetterSourceQueues",
}

FETCH: dict[str, set[str]] = {
    "*": NETWORK,
    "StorageExports": RECORD,
    "StorageFiles/parts/*": GET | PUT,
    "SecretsService": READ_SECRET,
    **BUCKET,
}
RENDER = {
    "StorageExports": RECORD,
    "StorageFiles/parts/*": GET,
    "StorageFiles/csv/*": PUT,
    **BUCKET,
}
DELIVER = {
    "StorageExports": RECORD,
    "StorageFiles/csv/*": GET,
    "SecretsLinks": READ_SECRET,
    "SecretsSendGridKey": READ_SECRET,
    **BUCKET,
}
SWEEP = {
    "StorageExports": RECORD | LIST,
    "StorageExports/index/by-wake": {"dynamodb:Query"},
    "StorageFiles/parts/*": DELETE,
    "StorageFiles/csv/*": DELETE,
    "membership_exports_dlq": SEND,
    **BUCKET,
}
API = {
    "StorageExports": RECORD | LIST,
    "StorageExports/index/by-user": {"dynamodb:Query"},
    "StorageExports/index/by-wake": {"dynamodb:Query"},
    "StorageFiles/parts/*": DELETE,
    "StorageFiles/csv/*": GET | DELETE,
    "SecretsService": READ_SECRET,
    "SecretsLinks": READ_SECRET,
    "SecretsAudit": READ_SECRET,
    **BUCKET,
}
ALL_STAGES = {
    "*": NETWORK,
    "StorageExports": RECORD,
    "StorageFiles/parts/*": GET | PUT,
    "StorageFiles/csv/*": GET | PUT,
    "SecretsService": READ_SECRET,
    "SecretsLinks": READ_SECRET,
    "SecretsSendGridKey": READ_SECRET,
    **BUCKET,
}


def desk(topology: str) -> dict[str, set[str]]:
    return {
        "StorageExports": RECORD | LIST,
        "StorageExports/index/by-user": {"dynamodb:Query"},
        "StorageExports/index/by-wake": {"dynamodb:Query"},
        "StorageExports/index/by-address": {"dynamodb:Query", "dynamodb:Scan"},
        "SecretsAudit": READ_SECRET,
        "StorageFiles/parts/*": DELETE,
        "StorageFiles/csv/*": DELETE,
        **BUCKET,
        **{f"{queue}_dlq": DESK for queue in QUEUES[topology]},
    }


EXPECTED: dict[str, dict[str, dict[str, set[str]]]] = {
    "one": {
        "ExportMembershipsRole": ALL_STAGES,
        "SweepExportsRole": SWEEP,
        "ApiRole": API,
        "Operator": desk("one"),
    },
    "split": {
        "FetchMembershipsRole": FETCH,
        "RenderCsvRole": RENDER,
        "SendExportRole": DELIVER,
        "SweepExportsRole": SWEEP,
        "ApiRole": API,
        "Operator": desk("split"),
    },
}


def own_parts(granted: Table) -> Table:
    """Leave out what AWS itself uses to start containers and to log rejected traffic."""
    return {
        role: {name: actions for name, actions in resources.items() if name != "Key" and not name.endswith("Log")}
        for role, resources in granted.items()
        if role not in {"ApiTaskExecutionRole", "NetworkVpcRejectedIAMRole"}
    }


def with_queues(topology: str) -> Table:
    """Add to the tables: everybody in them sends to every queue; a worker also receives from its own and buries."""
    table: Table = {}
    for role, resources in EXPECTED[topology].items():
        table[role] = {name: set(actions) for name, actions in resources.items()}
        for queue in QUEUES[topology]:
            table[role][queue] = SEND | (RECEIVE if WORKERS[topology].get(role) == queue else set())
            table[role][queue] |= {"sqs:GetQueueAttributes"} if role in {"Operator", "SweepExportsRole"} else set()
        if role in WORKERS[topology]:
            table[role][f"{WORKERS[topology][role]}_dlq"] = SEND
    return table


@pytest.mark.parametrize("topology", ["one", "split"])
def test_nobody_has_another_permission_than_those_in_the_table(synth: Synthesiser, topology: str) -> None:
    assert own_parts(permissions_of(synth(topology))) == with_queues(topology)


@pytest.mark.parametrize("topology", ["one", "split"])
def test_no_action_is_a_wildcard(synth: Synthesiser, topology: str) -> None:
    actions = {
        action
        for resources in permissions_of(synth(topology)).values()
        for allowed in resources.values()
        for action in allowed
    }

    assert [action for action in actions if "*" in action] == []


@pytest.mark.parametrize("topology", ["one", "split"])
def test_the_key_is_used_by_those_who_use_the_data_and_for_nothing_but_that(synth: Synthesiser, topology: str) -> None:
    users = {role: found["Key"] for role, found in permissions_of(synth(topology)).items() if "Key" in found}

    assert users == dict.fromkeys(EXPECTED[topology], KEY)


@pytest.mark.parametrize("topology", ["one", "split"])
def test_a_function_writes_its_own_log_only(synth: Synthesiser, topology: str) -> None:
    for role, resources in permissions_of(synth(topology)).items():
        logs = {name: actions for name, actions in resources.items() if any(one.startswith("logs:") for one in actions)}
        if role in WORKERS[topology]:
            assert logs == {role.replace("Role", "Log"): {"logs:CreateLogStream", "logs:PutLogEvents"}}


def test_in_the_split_form_only_send_export_can_read_the_sendgrid_key(synth: Synthesiser) -> None:
    granted = permissions_of(synth("split"))

    assert [role for role, resources in granted.items() if "SecretsSendGridKey" in resources] == ["SendExportRole"]


@pytest.mark.parametrize("url, api", [("", ["ApiRole"]), (EXISTING, [])])
def test_only_who_fetches_can_make_a_token_for_the_memberships_api(
    synth: Synthesiser, url: str, api: list[str]
) -> None:
    granted = permissions_of(synth("split", url))

    assert [role for role, resources in granted.items() if "SecretsService" in resources] == [
        "FetchMembershipsRole",
        *api,
    ]


@pytest.mark.parametrize("topology,reader", [("one", "ExportMembershipsRole"), ("split", "FetchMembershipsRole")])
def test_only_who_fetches_can_read_the_secrets_that_a_profile_names_and_no_other(
    synth: Synthesiser, topology: str, reader: str
) -> None:
    granted = permissions_of(synth(topology, EXISTING))

    found = {
        (role, resource): actions
        for role, resources in granted.items()
        for resource, actions in resources.items()
        if resource.startswith("arn:aws:secretsmanager:")
    }
    assert found == {(reader, arn): READ_SECRET for arn in PROFILE_SECRETS}


def test_no_role_has_a_ready_made_policy(synth: Synthesiser) -> None:
    assert [name for name, found in roles(synth()).items() if "ManagedPolicyArns" in found or "Policies" in found] == []


def test_a_role_is_taken_by_its_own_service_and_the_operator_by_people_of_the_account(synth: Synthesiser) -> None:
    takers = {
        name: found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] for name, found in roles(synth()).items()
    }

    assert takers.pop("Operator") == {
        "AWS": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":root"]]}
    }
    assert takers == {
        "ExportMembershipsRole": {"Service": "lambda.amazonaws.com"},
        "SweepExportsRole": {"Service": "lambda.amazonaws.com"},
        "ApiRole": {"Service": "ecs-tasks.amazonaws.com"},
        "ApiTaskExecutionRole": {"Service": "ecs-tasks.amazonaws.com"},
        "NetworkVpcRejectedIAMRole": {"Service": "vpc-flow-logs.amazonaws.com"},
    }


def queue_policies(stack: Synthesised) -> dict[str, list[dict[str, Any]]]:
    return {
        name_of(stack, reference): policy["PolicyDocument"]["Statement"]
        for policy in stack.of_type("SQS::QueuePolicy").values()
        for reference in policy["Queues"]
    }


@pytest.mark.parametrize("topology", ["one", "split"])
def test_queues_and_dead_letter_queues_are_reached_over_tls_only(synth: Synthesiser, topology: str) -> None:
    policies = queue_policies(synth(topology))

    assert sorted(policies) == sorted([*QUEUES[topology], *(f"{queue}_dlq" for queue in QUEUES[topology])])
    for statements in policies.values():
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        refused = [found for found in statements if found["Effect"] == "Deny" and found.get("Condition") == plain]
        assert [(found["Action"], found["Principal"]) for found in refused] == [("sqs:*", {"AWS": "*"})]


@pytest.mark.parametrize("topology", ["one", "split"])
def test_messages_come_from_the_api_and_the_service_itself_and_from_nobody_else(
    synth: Synthesiser, topology: str
) -> None:
    stack = synth(topology)
    for queue in QUEUES[topology]:
        (refusal,) = [found for found in queue_policies(stack)[queue] if found.get("Sid") == "OnlyTheseSend"]
        assert (refusal["Effect"], refusal["Action"], refusal["Principal"]) == ("Deny", "sqs:SendMessage", {"AWS": "*"})
        except_for = refusal["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
        assert {name_of(stack, arn) for arn in except_for} == set(EXPECTED[topology])
