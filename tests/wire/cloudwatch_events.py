"""CloudWatch and EventBridge of the embedded region, as boto3 and the aws command see them.

usage: cloudwatch_events.py ENDPOINT

Every CloudWatch check runs once over each protocol that SDKs speak: CBOR, JSON and Query.
"""

import copy
import datetime
import gzip
import json
import math
import os
import shutil
import subprocess
import sys
import time
import urllib.request

import boto3
import botocore.session
from botocore.exceptions import ClientError

PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]
CREDENTIALS = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "example",
    "region_name": "us-east-1",
}
# An alarm looks at whole 10 s buckets every 10 s: two of them and some slack.
ALARM_DEADLINE = 40


def client(endpoint, service, protocol=None):
    """A boto3 client, made to speak one protocol of those its service has."""
    core = botocore.session.Session()
    loader = core.get_component("data_loader")
    load = loader.load_service_model

    def load_with_protocol(name, kind, api_version=None):
        model = load(name, kind, api_version)
        if protocol and name == service and kind == "service-2":
            model = copy.deepcopy(model)
            model["metadata"].update(protocol=protocol, protocols=[protocol])
        return model

    loader.load_service_model = load_with_protocol
    session = boto3.Session(botocore_session=core, **CREDENTIALS)
    return session.client(service, endpoint_url=endpoint)


def aws(endpoint, *arguments):
    """Output of the aws command, which stands beside this Python or on the path."""
    beside = os.path.join(os.path.dirname(sys.executable), "aws")
    command = beside if os.path.exists(beside) else shutil.which("aws")
    assert command, "the aws command is not installed"
    environment = dict(
        os.environ,
        AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
        AWS_SECRET_ACCESS_KEY="example",
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_PAGER="",
    )
    arguments = [command, "--endpoint-url", endpoint, "--output", "json", *arguments]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def fails(code, call, **arguments):
    """Asserts that a call fails with a code; gives the message."""
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{found}, not {code}: {error}"
        return error.response["Error"]["Message"]
    raise AssertionError(f"{arguments} succeeded, {code} expected")


def eventually(what, check, seconds):
    """Waits until a check holds; gives what it found."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.25)


def health(value, **more):
    datum = {
        "MetricName": "SelfHealth",
        "Dimensions": [{"Name": "Service", "Value": "redis"}],
        "StorageResolution": 1,
    }
    return {**datum, **({} if value is None else {"Value": value}), **more}


def minute_around(now):
    return {
        "StartTime": now - datetime.timedelta(minutes=2),
        "EndTime": now + datetime.timedelta(minutes=2),
    }


def metrics(cloudwatch, namespace):
    now = datetime.datetime.now(datetime.timezone.utc)
    cloudwatch.put_metric_data(
        Namespace=namespace,
        MetricData=[
            health(1),
            health(None, Values=[0, 1], Counts=[1, 3]),
            health(
                None,
                Timestamp=now,
                StatisticValues={"SampleCount": 2, "Sum": 2, "Minimum": 1, "Maximum": 1},
            ),
        ],
    )
    metric = {
        "Namespace": namespace,
        "MetricName": "SelfHealth",
        "Dimensions": [{"Name": "Service", "Value": "redis"}],
    }

    def listed():
        return cloudwatch.list_metrics(Namespace=namespace)["Metrics"]

    assert eventually("metric listed", listed, 10) == [metric]

    def points():
        answer = cloudwatch.get_metric_statistics(
            **metric, **minute_around(now), Period=300, Statistics=["SampleCount", "Sum"]
        )
        return answer["Datapoints"]

    found = points()
    assert sum(point["SampleCount"] for point in found) == 7, found
    assert sum(point["Sum"] for point in found) == 6, found
    assert found[0]["Timestamp"].tzinfo is not None

    stat = {"Metric": metric, "Period": 10, "Stat": "Minimum"}
    queries = [
        {"Id": "low", "MetricStat": stat},
        {"Id": "none", "MetricStat": {**stat, "Metric": {**metric, "Dimensions": []}}},
    ]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, **minute_around(now))
    low, none = answer["MetricDataResults"]
    assert low["Id"] == "low" and min(low["Values"]) == 0, low
    assert len(low["Timestamps"]) == len(low["Values"]) and low["StatusCode"] == "Complete", low
    assert low["Timestamps"][0].second % 10 == 0, low
    assert none["Values"] == [], none


def refused_metrics(cloudwatch, namespace):
    put = cloudwatch.put_metric_data
    far = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=3)
    old = far - datetime.timedelta(days=15)
    for data in [
        [health(math.nan)],
        [health(math.inf)],
        [health(1, Timestamp=far)],
        [health(1, Timestamp=old)],
        [health(None, Values=[1.0] * 151)],
        [health(1, StorageResolution=10)],
        [health(1, Dimensions=[{"Name": f"d{n}", "Value": "v"} for n in range(31)])],
        [health(1)] * 1001,
    ]:
        fails("InvalidParameterValue", put, Namespace=namespace, MetricData=data)
    message = fails("InvalidParameterValue", put, Namespace=namespace, MetricData=[health(math.nan)])
    assert "MetricData.member.1.Value" in message, message
    both = [health(1, Values=[1.0])]
    fails("InvalidParameterCombination", put, Namespace=namespace, MetricData=both)
    fails("MissingParameter", put, Namespace=namespace, MetricData=[health(None)])
    query = {"Id": "e", "Expression": "SUM(METRICS())"}
    now = datetime.datetime.now(datetime.timezone.utc)
    read = cloudwatch.get_metric_data
    fails("ValidationError", read, MetricDataQueries=[query], **minute_around(now))


def put_alarm(cloudwatch, namespace, name, **more):
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "AlarmDescription": "redis on a",
            "Namespace": namespace,
            "MetricName": "SelfHealth",
            "Dimensions": [{"Name": "Service", "Value": "redis"}],
            "Statistic": "Minimum",
            "Period": 10,
            "EvaluationPeriods": 2,
            "DatapointsToAlarm": 1,
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "notBreaching",
            **more,
        }
    )


def alarm_named(cloudwatch, name):
    alarms = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert len(alarms) == 1, alarms
    return alarms[0]


def refused_alarms(cloudwatch, namespace):
    name = f"{namespace}/other"
    put_alarm(cloudwatch, namespace, name, Period=3600)
    alarm = alarm_named(cloudwatch, name)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA", alarm
    assert alarm["StateReason"] == "Unchecked: Initial alarm creation", alarm
    assert alarm["AlarmArn"].endswith(f":alarm:{name}"), alarm
    assert (alarm["Period"], alarm["Threshold"]) == (3600, 1.0), alarm

    set_state = cloudwatch.set_alarm_state
    set_state(AlarmName=name, StateValue="ALARM", StateReason="drill", StateReasonData="{}")
    alarm = alarm_named(cloudwatch, name)
    assert (alarm["StateValue"], alarm["StateReason"]) == ("ALARM", "drill"), alarm
    # As far as it is not evaluated in between.
    put_alarm(cloudwatch, namespace, name, Threshold=2, Period=3600)
    assert alarm_named(cloudwatch, name)["Threshold"] == 2.0

    state = {"StateValue": "OK", "StateReason": "drill"}
    fails("ResourceNotFound", set_state, AlarmName="nowhere", **state)
    fails("InvalidFormat", set_state, AlarmName=name, StateReasonData="{", **state)
    fails("ResourceNotFound", cloudwatch.delete_alarms, AlarmNames=[name, "nowhere"])
    fails("InvalidNextToken", cloudwatch.describe_alarms, NextToken="?")
    fails("InvalidParameterValue", put_alarm, cloudwatch=cloudwatch, namespace=namespace, name="x", Period=15)
    cloudwatch.delete_alarms(AlarmNames=[name])
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def pages(cloudwatch, namespace):
    names = [f"{namespace}/page/{number}" for number in range(5)]
    for name in names:
        put_alarm(cloudwatch, namespace, name)
    paginator = cloudwatch.get_paginator("describe_alarms")
    found = paginator.paginate(AlarmNamePrefix=f"{namespace}/page/", PaginationConfig={"PageSize": 2})
    assert [alarm["AlarmName"] for page in found for alarm in page["MetricAlarms"]] == names
    cloudwatch.delete_alarms(AlarmNames=names)


def alarm_fires(endpoint, cloudwatch, namespace):
    """A published zero brings the alarm to ALARM, and ones bring it back."""
    name = f"{namespace}/self"
    put_alarm(cloudwatch, namespace, name)

    def publish_until(value, state):
        def check():
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=[health(value)])
            alarm = alarm_named(cloudwatch, name)
            return alarm if alarm["StateValue"] == state else None

        return eventually(f"{name} {state}", check, ALARM_DEADLINE)

    alarm = publish_until(0, "ALARM")
    assert "less than the threshold (1.0)" in alarm["StateReason"], alarm
    data = json.loads(alarm["StateReasonData"])
    assert data["version"] == "1.0" and 0.0 in data["recentDatapoints"], data
    command = ["cloudwatch", "describe-alarms", "--state-value", "ALARM", "--alarm-name-prefix", namespace]
    shown = aws(endpoint, *command)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in shown] == [name], shown
    alarm = publish_until(1, "OK")
    assert "was not less than" in alarm["StateReason"] or "were not less than" in alarm["StateReason"], alarm
    cloudwatch.delete_alarms(AlarmNames=[name])


def compressed_form(endpoint):
    """A compressed body, which SDKs send when a request is large."""
    form = "Action=PutMetricData&Version=2010-08-01&Namespace=Gzip&MetricData.member.1.MetricName=M"
    form += "&MetricData.member.1.Value=1"
    scope = "AKIDEXAMPLE/20240301/us-east-1/monitoring/aws4_request"
    headers = {
        "authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "content-type": "application/x-www-form-urlencoded",
        "content-encoding": "gzip",
    }
    body = gzip.compress(form.encode())
    request = urllib.request.Request(endpoint, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
        assert answer.status == 200 and "<PutMetricDataResponse" in text, text


def rules(endpoint, events):
    pattern = {"source": [{"prefix": "vipward."}], "detail": {"n": [{"numeric": [">", 1]}]}}
    arn = events.put_rule(Name="wire", EventPattern=json.dumps(pattern), Description="d")["RuleArn"]
    assert arn.endswith(":rule/wire"), arn
    target = {"Id": "1", "Arn": "arn:aws:lambda:us-east-1:123456789012:function:wire"}
    assert events.put_targets(Rule="wire", Targets=[target])["FailedEntryCount"] == 0
    assert events.list_targets_by_rule(Rule="wire")["Targets"] == [target]
    rule = events.describe_rule(Name="wire")
    assert (json.loads(rule["EventPattern"]), rule["State"]) == (pattern, "ENABLED"), rule
    assert [rule["Name"] for rule in events.list_rules(NamePrefix="wire")["Rules"]] == ["wire"]
    shown = aws(endpoint, "events", "describe-rule", "--name", "wire")
    assert shown["Arn"] == arn, shown
    aws(endpoint, "events", "put-rule", "--name", "wire-rate", "--schedule-expression", "rate(1 day)")
    assert events.describe_rule(Name="wire-rate")["ScheduleExpression"] == "rate(1 day)"

    event = {
        "id": "1", "account": "123456789012", "source": "vipward.x", "time": "2024-03-01T12:00:00Z",
        "region": "us-east-1", "resources": [], "detail-type": "T", "detail": {"n": 2},
    }
    matches = events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
    assert matches["Result"] is True, matches

    fails("ValidationException", events.delete_rule, Name="wire")
    fails("InvalidEventPatternException", events.put_rule, Name="bad", EventPattern='{"source":"x"}')
    fails("ValidationException", events.put_rule, Name="bad", ScheduleExpression="rate(1 minutes)")
    fails("ResourceNotFoundException", events.describe_rule, Name="nowhere")
    events.remove_targets(Rule="wire", Ids=["1"])
    for name in ["wire", "wire-rate"]:
        events.delete_rule(Name=name)
    assert events.list_rules(NamePrefix="wire")["Rules"] == []


def entries(endpoint, events):
    def entry(source="vipward.wire", detail="{}"):
        return {"Source": source, "DetailType": "Wire", "Detail": detail}

    answer = events.put_events(
        Entries=[
            entry(detail='{"n":1}'),
            entry(source="aws.ec2"),
            entry(detail="{"),
            {"Source": "vipward.wire", "Detail": "{}"},
            {**entry(), "Time": datetime.datetime(2024, 3, 1), "Resources": ["arn:x"]},
        ]
    )
    assert answer["FailedEntryCount"] == 3, answer
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    refused = ["NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument"]
    assert codes == [None, *refused, None], answer
    ids = {entry["EventId"] for entry in answer["Entries"] if "EventId" in entry}
    assert len(ids) == 2, answer
    fails("ValidationException", events.put_events, Entries=[entry()] * 11)
    large = json.dumps({"a": "x" * (256 * 1024)})
    fails("ValidationException", events.put_events, Entries=[entry(detail=large)])
    answer = aws(endpoint, "events", "put-events", "--entries", json.dumps([entry()]))
    assert answer["FailedEntryCount"] == 0, answer


def main(endpoint):
    for number, protocol in enumerate(PROTOCOLS):
        namespace = f"Wire{os.getpid()}-{number}"
        cloudwatch = client(endpoint, "cloudwatch", protocol)
        metrics(cloudwatch, namespace)
        refused_metrics(cloudwatch, namespace)
        refused_alarms(cloudwatch, namespace)
        pages(cloudwatch, namespace)
        print(f"cloudwatch over {protocol}: ok")
    alarm_fires(endpoint, client(endpoint, "cloudwatch"), f"Wire{os.getpid()}-alarm")
    print("alarm to ALARM and back: ok")
    compressed_form(endpoint)
    events = client(endpoint, "events")
    rules(endpoint, events)
    entries(endpoint, events)
    print("events: ok")


if __name__ == "__main__":
    main(sys.argv[1])
