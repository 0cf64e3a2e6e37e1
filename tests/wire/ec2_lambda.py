"""Drives EC2, Lambda and the metadata service of a region with boto3 and the aws command.

Usage: ec2_lambda.py ENDPOINT [IMDS-ENDPOINT]   (a region that serves tests/wire/world.toml)
"""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

ENDPOINT = sys.argv[1]
ENI_1, ENI_2 = "eni-0a1b2c3d4e5f60001", "eni-0a1b2c3d4e5f60002"
VIP = "172.31.0.202"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIAWIRECHECK",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": "us-east-1",
}
os.environ.update(CREDENTIALS)
NO_RETRY = Config(retries={"total_max_attempts": 1})
ec2 = boto3.client("ec2", endpoint_url=ENDPOINT, config=NO_RETRY)
functions = boto3.client("lambda", endpoint_url=ENDPOINT, config=NO_RETRY)


def control(method, path, document=None):
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(ENDPOINT + "/_region/" + path, data=body, method=method)
    text = urllib.request.urlopen(request).read()
    return json.loads(text) if text else None


def aws(*arguments):
    command = [os.path.join(os.path.dirname(sys.executable), "aws"), "--endpoint-url", ENDPOINT]
    done = subprocess.run(
        command + list(arguments), capture_output=True, text=True, env={**os.environ, "AWS_PAGER": ""}
    )
    return done.returncode, done.stdout, done.stderr


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return error.response
    raise AssertionError(f"{code} expected")


def holder():
    found = ec2.describe_network_interfaces(
        Filters=[
            {"Name": "addresses.private-ip-address", "Values": [VIP]},
            {"Name": "subnet-id", "Values": ["subnet-0a0000000000000001"]},
        ]
    )["NetworkInterfaces"]
    return [interface["NetworkInterfaceId"] for interface in found]


def assign(eni, addresses):
    return ec2.assign_private_ip_addresses(
        NetworkInterfaceId=eni, PrivateIpAddresses=addresses, AllowReassignment=True
    )


def check_describe():
    interface = ec2.describe_network_interfaces(NetworkInterfaceIds=[ENI_1])["NetworkInterfaces"][0]
    held = [(a["PrivateIpAddress"], a["Primary"]) for a in interface["PrivateIpAddresses"]]
    assert held == [("172.31.0.11", True), (VIP, False)], held
    assert interface["Attachment"]["InstanceId"] == "i-0a0000000000000001"
    instance = ec2.describe_instances(
        Filters=[{"Name": "network-interface.network-interface-id", "Values": [ENI_2]}]
    )["Reservations"][0]["Instances"][0]
    assert instance["State"] == {"Code": 16, "Name": "running"}, instance["State"]
    assert instance["InstanceType"] == "t3.micro"
    subnet = ec2.describe_subnets()["Subnets"][0]
    assert subnet["CidrBlock"] == "172.31.0.0/20"
    assert subnet["AvailableIpAddressCount"] == 4096 - 5 - 3
    refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=["eni-0f"])
    refused("DryRunOperation", ec2.describe_subnets, DryRun=True)
    pages = ec2.get_paginator("describe_network_interfaces").paginate(PaginationConfig={"PageSize": 5})
    assert sum(len(page["NetworkInterfaces"]) for page in pages) == 2


def check_move():
    assert holder() == [ENI_1]
    moved = assign(ENI_2, [VIP])
    assert moved["NetworkInterfaceId"] == ENI_2
    assert moved["AssignedPrivateIpAddresses"] == [{"PrivateIpAddress": VIP}], moved
    assert holder() == [ENI_2]
    code, out, err = aws(
        "ec2", "assign-private-ip-addresses", "--network-interface-id", ENI_1,
        "--private-ip-addresses", VIP, "--allow-reassignment",
    )
    assert code == 0, err
    assert json.loads(out)["NetworkInterfaceId"] == ENI_1
    assert holder() == [ENI_1]
    code, _, err = aws(
        "ec2", "assign-private-ip-addresses", "--network-interface-id", ENI_2, "--private-ip-addresses", VIP
    )
    assert code != 0 and "[172.31.0.202] assigned, but move is not allowed." in err, err
    assert control("GET", "state")["holders"] == {VIP: ENI_1}


def check_tags():
    ec2.create_tags(Resources=[ENI_1], Tags=[{"Key": "vipward:prod-db:redis", "Value": "moved=1 from=- moves="}])
    found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [ENI_1]}])["Tags"]
    assert [tag["Key"] for tag in found] == ["vipward:prod-db:redis"], found
    by_tag = ec2.describe_network_interfaces(Filters=[{"Name": "tag:vipward:prod-db:redis", "Values": ["*"]}])
    assert [i["NetworkInterfaceId"] for i in by_tag["NetworkInterfaces"]] == [ENI_1]
    ec2.delete_tags(Resources=[ENI_1], Tags=[{"Key": "vipward:prod-db:redis"}])
    assert ec2.describe_tags()["Tags"] == []


def check_faults():
    control("POST", "faults", [
        {"on": "ec2:AssignPrivateIpAddresses", "kind": "error", "code": "RequestLimitExceeded", "status": 503, "times": 1},
        {"on": "ec2:CreateTags", "kind": "lost-reply", "times": 1},
    ])
    answer = refused("RequestLimitExceeded", assign, eni=ENI_2, addresses=[VIP])
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert holder() == [ENI_1]
    try:
        ec2.create_tags(Resources=[ENI_1], Tags=[{"Key": "lost", "Value": "reply"}])
        raise AssertionError("the reply was not lost")
    except ConnectionClosedError:
        pass
    assert control("GET", "state")["tags"][ENI_1] == {"lost": "reply"}
    control("DELETE", "faults")


def check_lambda():
    answer = functions.invoke(FunctionName="vipward-failover", Payload=b'{"hello": 1}')
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer
    payload = json.load(answer["Payload"])
    assert payload["event"] == {"hello": 1}
    assert payload["environment"]["AWS_ENDPOINT_URL"] == ENDPOINT
    failed = functions.invoke(FunctionName=payload["arn"], Payload=b'{"do": "crash"}')
    assert failed["FunctionError"] == "Unhandled"
    assert "exit status 3" in json.load(failed["Payload"])["errorMessage"]
    assert functions.invoke(FunctionName="vipward-failover", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    refused("ResourceNotFoundException", functions.invoke, FunctionName="nobody")


def check_imds(base):
    def get(path, token):
        headers = {"X-aws-ec2-metadata-token": token}
        return urllib.request.urlopen(urllib.request.Request(base + path, headers=headers)).read().decode()

    try:
        urllib.request.urlopen(base + "/latest/meta-data/mac")
        raise AssertionError("a token is needed")
    except urllib.error.HTTPError as error:
        assert error.code == 401
    wanted = urllib.request.Request(
        base + "/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}, method="PUT"
    )
    token = urllib.request.urlopen(wanted).read().decode()
    mac = get("/latest/meta-data/mac", token)
    macs = "/latest/meta-data/network/interfaces/macs/"
    assert get(macs, token) == mac + "/"
    assert get(macs + mac + "/interface-id", token) == ENI_1


check_describe()
check_move()
check_tags()
check_faults()
check_lambda()
if len(sys.argv) > 2:
    check_imds(sys.argv[2])
print("ec2 and lambda: as AWS has it")
