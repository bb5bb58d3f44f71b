"""What the template says of each part, in both topologies where they differ."""

import re
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest

from bench import facts
from memberships_export.adapters.aws.emf import EmbeddedMetrics, metric_names
from memberships_export.domain.metric import Kind
from memberships_export.entrypoints.cli.serve.limits import KEEP_ALIVE_SECONDS
from memberships_export.logs.vocabulary import EVENTS
from memberships_export.service.metrics import CATALOGUE, OLDEST_UNFINISHED, PAUSED, RESTARTS
from memberships_export.service.user.request import Wish
from memberships_export.settings import read_settings
from tests.fakes.world import World
from tests.infra.permissions import name_of
from tests.infra.synthesis import EXISTING, ROOT, SMALLEST_NETWORK, Synthesised, Synthesiser

QUEUES = {
    "one": {"ExportMemberships": "membership_exports"},
    "split": {
        "FetchMemberships": "membership_exports",
        "RenderCsv": "membership_exports_render",
        "SendExport": "membership_exports_deliver",
    },
}
each_topology = pytest.mark.parametrize("topology", ["one", "split"])


def queues(stack: Synthesised) -> dict[str, dict[str, Any]]:
    return {found["QueueName"]: found for found in stack.of_type("SQS::Queue").values()}


def functions(stack: Synthesised) -> dict[str, dict[str, Any]]:
    return {found["FunctionName"]: found for found in stack.of_type("Lambda::Function").values()}


def only(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    (properties,) = found.values()
    return properties


# --- Queues -----------------------------------------------------------------------------------------------------------


@each_topology
def test_every_queue_has_a_dead_letter_queue_after_five_receives(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    found = queues(stack)

    assert set(found) == {name + end for name in QUEUES[topology].values() for end in ("", "_dlq")}
    for name in QUEUES[topology].values():
        policy = found[name]["RedrivePolicy"]
        assert (policy["maxReceiveCount"], name_of(stack, policy["deadLetterTargetArn"])) == (5, f"{name}_dlq")
        assert "RedrivePolicy" not in found[f"{name}_dlq"]


@each_topology
def test_dead_letters_are_kept_for_14_days_which_is_longer_than_messages(synth: Synthesiser, topology: str) -> None:
    kept = {name: found.get("MessageRetentionPeriod", 4 * 86_400) for name, found in queues(synth(topology)).items()}

    assert {days for name, days in kept.items() if name.endswith("_dlq")} == {14 * 86_400}
    assert {days for name, days in kept.items() if not name.endswith("_dlq")} == {4 * 86_400}


@each_topology
def test_a_message_stays_invisible_for_six_times_the_longest_run(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    for function, queue in QUEUES[topology].items():
        assert queues(stack)[queue]["VisibilityTimeout"] >= 6 * functions(stack)[function]["Timeout"]


@each_topology
def test_each_function_takes_one_message_at_a_time_and_all_of_its_own_queue(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    sources = {
        stack.template["Resources"][found["FunctionName"]["Ref"]]["Properties"]["FunctionName"]: found
        for found in stack.of_type("Lambda::EventSourceMapping").values()
    }

    assert {name: name_of(stack, found["EventSourceArn"]) for name, found in sources.items()} == QUEUES[topology]
    for found in sources.values():
        assert found["BatchSize"] == 1
        assert found["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert "FilterCriteria" not in found


def test_the_concurrency_of_what_fetches_is_the_parameter(synth: Synthesiser) -> None:
    def limits(stack: Synthesised) -> list[int]:
        found = stack.of_type("Lambda::EventSourceMapping").values()
        return sorted(one["ScalingConfig"]["MaximumConcurrency"] for one in found)

    assert limits(synth("one")) == [7]
    assert limits(synth("split")) == [7, 10, 10]


# --- Functions --------------------------------------------------------------------------------------------------------


@each_topology
def test_the_functions_run_the_same_code_on_arm(synth: Synthesiser, topology: str) -> None:
    found = functions(synth(topology))

    assert set(found) == {*QUEUES[topology], "SweepExports"}
    assert {name: one["Handler"].split(".")[-2] for name, one in found.items()} == {
        **dict.fromkeys(QUEUES[topology], "export"),
        "SweepExports": "sweep",
    }
    assert len({str(one["Code"]) for one in found.values()}) == 1
    assert {(one["Runtime"], *one["Architectures"], one["MemorySize"]) for one in found.values()} == {
        ("python3.13", "arm64", 512)
    }


@each_topology
def test_a_function_may_send_an_export_on_to_itself_as_often_as_it_takes(synth: Synthesiser, topology: str) -> None:
    loops = {name: one.get("RecursiveLoop") for name, one in functions(synth(topology)).items()}

    assert loops == {**dict.fromkeys(QUEUES[topology], "Allow"), "SweepExports": None}


@each_topology
def test_only_what_fetches_is_in_the_network_of_the_memberships_api_and_knows_its_address(
    synth: Synthesiser, topology: str
) -> None:
    fetchers = {name for name, queue in QUEUES[topology].items() if queue == "membership_exports"}
    found = functions(synth(topology, EXISTING if topology == "split" else ""))

    assert {name for name, one in found.items() if "VpcConfig" in one} == fetchers
    told = {
        name: one["Environment"]["Variables"].get("MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL") for name, one in found.items()
    }
    assert {name for name, url in told.items() if url} == fetchers


def test_the_worker_fetches_from_an_existing_api_or_from_our_own(synth: Synthesiser) -> None:
    def address(stack: Synthesised) -> str:
        variables = functions(stack)["ExportMemberships"]["Environment"]["Variables"]
        return str(variables["MEMBERSHIPS_EXPORT_MEMBERSHIPS_URL"])

    assert address(synth("one", EXISTING)) == EXISTING
    assert address(synth("one")) == "https://memberships.example.org"


def test_in_the_split_form_each_function_knows_its_step(synth: Synthesiser) -> None:
    found = functions(synth("split"))

    assert {name: one["Environment"]["Variables"].get("MEMBERSHIPS_EXPORT_STAGES") for name, one in found.items()} == {
        "FetchMemberships": "fetch",
        "RenderCsv": "render",
        "SendExport": "deliver",
        "SweepExports": None,
    }


@each_topology
@pytest.mark.parametrize("url", ["", EXISTING])
def test_every_program_can_read_its_settings(synth: Synthesiser, topology: str, url: str) -> None:
    stack = synth(topology, url)
    told = {name: one["Environment"]["Variables"] for name, one in functions(stack).items()}
    (container,) = only(stack.of_type("ECS::TaskDefinition"))["ContainerDefinitions"]
    told["memberships-api"] = {one["Name"]: one["Value"] for one in container["Environment"]}
    for variables in told.values():
        settings = read_settings({name: as_deployed(name, value) for name, value in variables.items()})
        assert settings.backend == "aws"
        assert settings.public_url == "https://memberships.example.org"


def as_deployed(name: str, value: object) -> str:
    """Put an address where CloudFormation would."""
    if isinstance(value, str):
        return value
    return "https://sqs.eu-central-1.amazonaws.com/1/queue" if name.endswith("_URL") else "name"


def test_the_address_of_the_sendgrid_key_is_told_to_what_sends_only(synth: Synthesiser) -> None:
    found = functions(synth("split"))

    knowing = [name for name, one in found.items() if "SENDGRID_SECRET" in str(one["Environment"])]
    assert knowing == ["SendExport"]


def test_the_sweeper_runs_every_minute(synth: Synthesiser) -> None:
    rule = only(synth().of_type("Events::Rule"))

    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 minute)", "ENABLED")


@each_topology
def test_a_sweep_that_fails_or_finds_no_room_is_not_repeated_because_the_next_one_is_near(
    synth: Synthesiser, topology: str
) -> None:
    stack = synth(topology)
    kept = only(stack.of_type("Lambda::EventInvokeConfig"))

    assert name_of(stack, kept["FunctionName"]) == "SweepExportsFunction"
    assert (kept["Qualifier"], kept["MaximumRetryAttempts"], kept["MaximumEventAgeInSeconds"]) == ("$LATEST", 0, 60)


# --- Data -------------------------------------------------------------------------------------------------------------


def test_records_are_encrypted_can_be_restored_and_expire(synth: Synthesiser) -> None:
    table = only(synth().of_type("DynamoDB::Table"))

    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert (table["SSESpecification"]["SSEEnabled"], table["SSESpecification"]["SSEType"]) == (True, "KMS")


def test_the_indexes_are_those_that_the_store_asks(synth: Synthesiser) -> None:
    table = only(synth().of_type("DynamoDB::Table"))
    kinds = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}

    assert {
        index["IndexName"]: [(one["AttributeName"], kinds[one["AttributeName"]]) for one in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    } == {
        "by-user": [("userId", "S"), ("requestedAt", "S")],
        "by-wake": [("wakePartition", "S"), ("wakeAt", "N")],
        "by-address": [("addressHash", "S"), ("requestedAt", "S")],
    }
    assert {index["Projection"]["ProjectionType"] for index in table["GlobalSecondaryIndexes"]} == {"KEYS_ONLY"}


def test_everything_that_holds_data_is_encrypted_with_our_key_which_is_renewed(synth: Synthesiser) -> None:
    stack = synth("split")
    (key_id,) = stack.of_type("KMS::Key")

    assert only(stack.of_type("KMS::Key"))["EnableKeyRotation"] is True
    kinds = ("SQS::Queue", "S3::Bucket", "DynamoDB::Table", "SecretsManager::Secret", "SNS::Topic")
    plain = [
        name
        for kind in kinds
        for name, found in stack.of_type(kind).items()
        if key_id not in str(found) and not name.startswith("StorageAccessLogs")
    ]
    assert plain == []


def files(stack: Synthesised) -> dict[str, Any]:
    return only({name: one for name, one in stack.of_type("S3::Bucket").items() if name.startswith("StorageFiles")})


def test_the_bucket_deletes_no_file_that_the_sweeper_may_still_keep_for_a_resend(synth: Synthesiser) -> None:
    rules = files(synth())["LifecycleConfiguration"]["Rules"]

    assert {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule} == {
        "parts/": 38,
        "csv/": 38,
    }
    assert [rule["AbortIncompleteMultipartUpload"] for rule in rules if "Prefix" not in rule] == [
        {"DaysAfterInitiation": 1}
    ]
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def test_no_bucket_is_public_and_all_speak_tls_only(synth: Synthesiser) -> None:
    stack = synth()
    policies = {found["Bucket"]["Ref"]: found for found in stack.of_type("S3::BucketPolicy").values()}

    for name, bucket in stack.of_type("S3::Bucket").items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert '"aws:SecureTransport": "false"' in str(policies[name]).replace("'", '"')
    assert "LoggingConfiguration" in files(stack)


def test_a_signed_url_is_refused_after_two_minutes(synth: Synthesiser) -> None:
    stack = synth()
    statements = [
        one for found in stack.of_type("S3::BucketPolicy").values() for one in found["PolicyDocument"]["Statement"]
    ]

    (refusal,) = [one for one in statements if "s3:signatureAge" in str(one)]
    assert (refusal["Effect"], refusal["Action"]) == ("Deny", "s3:GetObject")
    assert refusal["Condition"]["NumericGreaterThan"] == {"s3:signatureAge": 120_000}


def test_data_outlives_the_stack_but_not_a_first_deployment_that_failed(synth: Synthesiser) -> None:
    kept = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::KMS::Key")
    found = {name: one for name, one in synth().template["Resources"].items() if one["Type"] in kept}
    policies = {name: one["DeletionPolicy"] for name, one in found.items() if not name.startswith("StorageAccessLogs")}

    assert len(policies) == len(found) - 1
    assert set(policies.values()) == {"RetainExceptOnCreate"}


def test_the_access_logs_stay_in_any_case_and_are_in_nobodys_way(synth: Synthesiser) -> None:
    buckets = {name: one for name, one in synth().template["Resources"].items() if one["Type"] == "AWS::S3::Bucket"}
    (logs,) = [one for name, one in buckets.items() if name.startswith("StorageAccessLogs")]

    assert (logs["DeletionPolicy"], logs["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert "BucketName" not in logs["Properties"], "a second deployment needs another name than the first"


# --- Network ----------------------------------------------------------------------------------------------------------


def test_the_network_has_the_addresses_of_the_parameter(synth: Synthesiser) -> None:
    assert only(synth().of_type("EC2::VPC"))["CidrBlock"] == SMALLEST_NETWORK


def test_the_smallest_network_has_room_for_a_load_balancer_in_each_subnet(synth: Synthesiser) -> None:
    blocks = [IPv4Network(found["CidrBlock"]) for found in synth().of_type("EC2::Subnet").values()]

    assert len(blocks) == 4
    assert [
        block for block in blocks if block.prefixlen > 27 or not block.subnet_of(IPv4Network(SMALLEST_NETWORK))
    ] == []


# --- API --------------------------------------------------------------------------------------------------------------


def test_the_api_is_two_private_containers(synth: Synthesiser) -> None:
    service = only(synth().of_type("ECS::Service"))

    assert (service["ServiceName"], service["DesiredCount"], service["LaunchType"]) == ("memberships-api", 2, "FARGATE")
    assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"


def test_the_load_balancer_speaks_https_only(synth: Synthesiser) -> None:
    listener = only(synth().of_type("ElasticLoadBalancingV2::Listener"))
    groups = synth().of_type("EC2::SecurityGroup").values()

    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert re.search(r"TLS13", listener["SslPolicy"])
    open_ports = [one["FromPort"] for group in groups for one in group.get("SecurityGroupIngress", [])]
    assert open_ports == [443]


def test_the_api_keeps_connections_open_for_longer_than_the_load_balancer_uses_them(synth: Synthesiser) -> None:
    balancer = only(synth().of_type("ElasticLoadBalancingV2::LoadBalancer"))
    attributes = {told["Key"]: told["Value"] for told in balancer["LoadBalancerAttributes"]}

    assert int(attributes["idle_timeout.timeout_seconds"]) < KEEP_ALIVE_SECONDS


@pytest.mark.parametrize("url, first", [("", "/memberships*"), (EXISTING, "/memberships/export*")])
def test_beside_an_existing_api_only_the_export_is_served(synth: Synthesiser, url: str, first: str) -> None:
    stack = synth("one", url)
    rule = only(stack.of_type("ElasticLoadBalancingV2::ListenerRule"))
    listener = only(stack.of_type("ElasticLoadBalancingV2::Listener"))

    (condition,) = rule["Conditions"]
    assert condition["PathPatternConfig"]["Values"] == [first, "/webhooks/*", "/healthz", "/openapi.json"]
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "404"


def test_the_database_of_the_bundled_api_is_a_secret_and_there_is_none_beside_an_existing_api(
    synth: Synthesiser,
) -> None:
    def secrets(stack: Synthesised) -> list[str]:
        (container,) = only(stack.of_type("ECS::TaskDefinition"))["ContainerDefinitions"]
        return [one["Name"] for one in container.get("Secrets", [])]

    assert secrets(synth("one")) == ["MEMBERSHIPS_EXPORT_MEMBERSHIPS_DATABASE_URL"]
    assert secrets(synth("one", EXISTING)) == []


# --- Alarms -----------------------------------------------------------------------------------------------------------


def alarms(stack: Synthesised) -> dict[str, dict[str, Any]]:
    found = stack.of_type("CloudWatch::Alarm").items()
    return {name.removeprefix("Monitoring")[:-8]: properties for name, properties in found}


@each_topology
def test_every_queue_and_every_function_is_watched(synth: Synthesiser, topology: str) -> None:
    found = alarms(synth(topology))
    names = [queue.replace("_", "") for queue in QUEUES[topology].values()]

    assert set(found) == {
        *(name + what for name in names for what in ("DeadLetters", "OldestMessage")),
        *(name + what for name in (*QUEUES[topology], "SweepExports") for what in ("Errors", "Throttles")),
        *(
            "InternalErrors",
            "Refused",
            "OldestUnfinished",
            "Paused",
            "SweeperSilent",
            "BounceRate",
            "ApiErrors",
            "ApiDown",
        ),
    }


def test_every_alarm_has_its_entry_in_the_runbook(synth: Synthesiser) -> None:
    runbook = (ROOT / "docs" / "runbook-aws.md").read_text(encoding="utf-8")
    kinds = {re.sub("^(ExportMemberships|SweepExports|membershipexports)", "", name) for name in alarms(synth())}

    assert [kind for kind in sorted(kinds) if f"\n### {kind}\n" not in runbook or f"`{kind}`](#" not in runbook] == []


@each_topology
def test_every_alarm_reaches_people(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    (topic,) = stack.of_type("SNS::Topic")

    assert {str(found["AlarmActions"]) for found in alarms(stack).values()} == {str([{"Ref": topic}])}
    subscription = only(stack.of_type("SNS::Subscription"))
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operations@example.org")


def test_alarms_may_use_the_topic_although_it_has_a_policy_of_its_own(synth: Synthesiser) -> None:
    statements = only(synth().of_type("SNS::TopicPolicy"))["PolicyDocument"]["Statement"]
    (allowed,) = [statement for statement in statements if statement["Effect"] == "Allow"]

    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_an_api_without_a_healthy_container_is_an_alarm_also_when_nobody_counts(synth: Synthesiser) -> None:
    found = alarms(synth())["ApiDown"]

    assert (found["MetricName"], found["Statistic"], found["Threshold"]) == ("HealthyHostCount", "Maximum", 1)
    assert (found["ComparisonOperator"], found["TreatMissingData"]) == ("LessThanThreshold", "breaching")


def test_an_answer_that_the_load_balancer_gives_in_place_of_the_api_counts_as_an_error_too(
    synth: Synthesiser,
) -> None:
    found = alarms(synth())["ApiErrors"]
    counted = {one["Id"]: one["MetricStat"] for one in found["Metrics"] if "MetricStat" in one}
    (total,) = [one["Expression"] for one in found["Metrics"] if "Expression" in one]

    assert {name: (one["Metric"]["MetricName"], one["Stat"], one["Period"]) for name, one in counted.items()} == {
        "containers": ("HTTPCode_Target_5XX_Count", "Sum", 300),
        "balancer": ("HTTPCode_ELB_5XX_Count", "Sum", 300),
    }
    assert total == "FILL(containers, 0) + FILL(balancer, 0)"
    assert (found["Threshold"], found["TreatMissingData"]) == (5, "notBreaching")


def test_the_cost_model_counts_the_alarms_and_the_metrics_that_there_are(synth: Synthesiser) -> None:
    watched = [max(1, str(found).count("'MetricStat'")) for found in alarms(synth()).values()]
    filters = synth().of_type("Logs::MetricFilter").values()
    written = {change["MetricName"] for found in filters for change in found["MetricTransformations"]}

    by_the_service = {
        name
        for metric in CATALOGUE
        if metric.kind is not Kind.GAUGE or metric in {OLDEST_UNFINISHED, PAUSED}
        if metric is not RESTARTS  # of one machine: on AWS others start processes
        for name in metric_names(metric)
    }
    assert (sum(watched), len(written) + len(by_the_service)) == (facts.ALARM_METRICS, facts.OWN_METRICS)


def test_the_numbers_of_an_export_are_as_long_as_the_cost_model_says() -> None:
    lines: list[str] = []
    world = World(rows=10)
    services = world.over(replace(world.ports, metrics=EmbeddedMetrics(lines.append)))
    services.request(Wish(user_id="user-1", email="member@example.org"))
    while world.work_once(services):
        pass

    assert sum(map(len, lines)) == pytest.approx(facts.NUMBER_BYTES, rel=0.05)


@each_topology
def test_the_dashboard_shows_exports_failures_durations_and_the_oldest_message(
    synth: Synthesiser, topology: str
) -> None:
    board = str(only(synth(topology).of_type("CloudWatch::Dashboard"))["DashboardBody"])
    shown = {
        "Exports per hour": ["FinishedCompleted", "FinishedFailed", "FinishedCancelled"],
        "Failed exports, percent": ["100 * FILL(failed, 0)"],
        "From request to mail, seconds": ['"ExportSeconds"', '"stat":"p95"'],
        "Oldest message, seconds": ["ApproximateAgeOfOldestMessage"],
    }

    for title, named in shown.items():
        widget = board.partition(f'"title":"{title}"')[2].partition('"type":"metric"')[0]
        assert [name for name in named if name not in widget] == [], title
    names = {name for metric in CATALOGUE for name in metric_names(metric)}
    graphed = set(re.findall(r'"MembershipsExport","(\w+)","Service","memberships-export"', board))
    assert graphed
    assert graphed <= names, "a graph of a number that nobody writes stays empty"


def test_one_error_that_a_function_caught_is_enough_for_an_alarm(synth: Synthesiser) -> None:
    found = alarms(synth())["InternalErrors"]

    assert (found["MetricName"], found["Statistic"], found["Period"], found["Threshold"]) == (
        *("InternalErrors", "Sum"),
        *(300, 1),
    )
    assert (found["ComparisonOperator"], found["TreatMissingData"]) == ("GreaterThanOrEqualToThreshold", "notBreaching")


def test_one_dead_letter_is_enough_for_an_alarm(synth: Synthesiser) -> None:
    found = alarms(synth())["membershipexportsDeadLetters"]

    assert (found["Threshold"], found["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert found["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert name_of(synth(), found["Dimensions"][0]["Value"]) == "membership_exports_dlq"


def test_a_silent_sweeper_is_an_alarm_too(synth: Synthesiser) -> None:
    found = alarms(synth())["SweeperSilent"]

    assert (found["MetricName"], found["Threshold"]) == ("Invocations", 1)
    assert (found["ComparisonOperator"], found["TreatMissingData"]) == ("LessThanThreshold", "breaching")


def test_an_export_that_is_unfinished_for_an_hour_is_an_alarm(synth: Synthesiser) -> None:
    found = alarms(synth())["OldestUnfinished"]

    assert (found["MetricName"], found["Threshold"]) == ("OldestUnfinishedExportSeconds", 3600)
    assert (found["ComparisonOperator"], found["TreatMissingData"]) == ("GreaterThanOrEqualToThreshold", "notBreaching")


@each_topology
def test_the_own_metrics_are_read_from_the_logs_of_those_who_write_them(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    found = {
        (
            one["MetricTransformations"][0]["MetricName"],
            name_of(stack, one["LogGroupName"]),
            one["FilterPattern"],
            one["MetricTransformations"][0]["MetricValue"],
        )
        for one in stack.of_type("Logs::MetricFilter").values()
    }

    deliverer = list(QUEUES[topology])[-1]
    bounced = '{ ($.event = "mail_event") && ($.delivery = "bounced") }'
    assert found == {
        ("OldestUnfinishedExportSeconds", "SweepExportsLog", '{ $.event = "sweep" }', "$.oldest_unfinished_seconds"),
        ("BouncedMails", "ApiLog", bounced, "1"),
        ("Sends", f"{deliverer}Log", '{ $.event = "sent" }', "1"),
        *(
            ("InternalErrors", f"{name}Log", '{ $.event = "internal_error" }', "1")
            for name in (*QUEUES[topology], "SweepExports")
        ),
        *(("Refusals", f"{name}Log", '{ $.event = "refused" }', "1") for name in (*QUEUES[topology], "Api")),
    }


@each_topology
def test_the_metrics_read_events_and_fields_that_lines_have(synth: Synthesiser, topology: str) -> None:
    known = {event.name: event.fields.split() for event in EVENTS}
    for one in synth(topology).of_type("Logs::MetricFilter").values():
        pattern, value = one["FilterPattern"], one["MetricTransformations"][0]["MetricValue"]
        (event,) = re.findall(r'\$\.event = "(\w+)"', pattern)
        assert event in known, pattern
        named = {*re.findall(r"\$\.(\w+)", pattern + value)} - {"event"}
        assert named <= set(known[event]), pattern


@each_topology
def test_every_program_whose_log_is_read_logs_as_json(synth: Synthesiser, topology: str) -> None:
    stack = synth(topology)
    names = {name_of(stack, one["LogGroupName"]) for one in stack.of_type("Logs::MetricFilter").values()}
    programs = str({**stack.of_type("Lambda::Function"), **stack.of_type("ECS::TaskDefinition")})
    found = re.findall(r"MEMBERSHIPS_EXPORT_LOG_FORMAT'(?:, 'Value')?: 'json'", programs)

    assert len(found) == len(names)


@each_topology
def test_there_is_one_dashboard_with_every_function_on_it(synth: Synthesiser, topology: str) -> None:
    board = str(only(synth(topology).of_type("CloudWatch::Dashboard"))["DashboardBody"])

    assert [name for name in (*QUEUES[topology], *QUEUES[topology].values()) if f'"title":"{name}"' not in board] == []
