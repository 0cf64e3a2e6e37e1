use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use vipward_region_model::Place;
use vipward_region_model::ec2::inventory::Subnet;
use vipward_region_model::ec2::{Ec2, NewInstance, Settings};

use super::{Call, handle};
use crate::wire::Request;

fn ec2() -> Ec2 {
    let subnet = Subnet {
        id: "subnet-0a".to_owned(),
        cidr: "10.0.0.0/24".parse().expect("a network"),
        vpc: "vpc-0a".to_owned(),
        zone: "us-east-1a".to_owned(),
    };
    let settings = Settings::default();
    let mut ec2 = Ec2::new(settings, [subnet]);
    for n in 1..=2u8 {
        let instance = NewInstance {
            id: format!("i-0{n}"),
            kind: "t3.small".to_owned(),
            eni: format!("eni-0{n}"),
            mac: format!("02:00:00:00:00:0{n}"),
            subnet: "subnet-0a".to_owned(),
            address: Ipv4Addr::new(10, 0, 0, 10 + n),
            secondaries: if n == 1 { vec![Ipv4Addr::new(10, 0, 0, 100)] } else { vec![] },
        };
        ec2.launch(instance, Timestamp::UNIX_EPOCH).expect("fits");
    }
    ec2
}

fn call(ec2: &mut Ec2, form: &str) -> (u16, String) {
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    let call = Call {
        now: Timestamp::UNIX_EPOCH,
        stale: SignedDuration::ZERO,
        place: &place,
        request_id: "r-1",
    };
    let request = Request { body: form.into(), ..Request::default() };
    let response = handle(ec2, call, &request);
    (response.status, String::from_utf8(response.body).expect("text"))
}

#[test]
fn assign_answers_in_awss_shape() {
    let form = "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=10.0.0.100&AllowReassignment=true";
    let (status, body) = call(&mut ec2(), form);
    assert_eq!(status, 200);
    assert!(
        body.ends_with(
            "<AssignPrivateIpAddressesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <requestId>r-1</requestId><networkInterfaceId>eni-02</networkInterfaceId>\
             <assignedPrivateIpAddressesSet><item><privateIpAddress>10.0.0.100</privateIpAddress></item>\
             </assignedPrivateIpAddressesSet><assignedIpv4PrefixSet></assignedIpv4PrefixSet>\
             </AssignPrivateIpAddressesResponse>"
        ),
        "{body}"
    );
}

#[test]
fn errors_answer_in_awss_shape() {
    let table = [
        (
            "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=10.0.0.100",
            400,
            "InvalidParameterValue",
        ),
        (
            "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=ten",
            400,
            "InvalidParameterValue",
        ),
        ("Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02", 400, "MissingParameter"),
        ("Action=AssignPrivateIpAddresses&PrivateIpAddress.1=10.0.0.100", 400, "MissingParameter"),
        (
            "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&SecondaryPrivateIpAddressCount=1",
            400,
            "UnsupportedOperation",
        ),
        (
            "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=10.0.0.100&DryRun=true",
            400,
            "UnknownParameter",
        ),
        ("Action=DescribeNetworkInterfaces&DryRun=true", 412, "DryRunOperation"),
        (
            "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-09",
            400,
            "InvalidNetworkInterfaceID.NotFound",
        ),
        (
            "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-01&MaxResults=5",
            400,
            "InvalidParameterCombination",
        ),
        ("Action=CreateTags&Tag.1.Key=k&Tag.1.Value=v", 400, "MissingParameter"),
        ("Action=RunInstances", 400, "InvalidAction"),
        ("Version=2016-11-15", 400, "MissingParameter"),
    ];
    for (form, status, code) in table {
        let (got, body) = call(&mut ec2(), form);
        assert_eq!(got, status, "{form}");
        assert!(
            body.contains(&format!("<Response><Errors><Error><Code>{code}</Code><Message>")),
            "{form}: {body}"
        );
        assert!(
            body.ends_with("</Message></Error></Errors><RequestID>r-1</RequestID></Response>"),
            "{body}"
        );
    }
}

#[test]
fn an_interface_is_described_with_all_its_addresses_and_tags() {
    let mut ec2 = ec2();
    let (status, _) =
        call(&mut ec2, "Action=CreateTags&ResourceId.1=eni-01&Tag.1.Key=a%26b&Tag.1.Value=1");
    assert_eq!(status, 200);
    let (_, body) = call(
        &mut ec2,
        "Action=DescribeNetworkInterfaces&Filter.1.Name=addresses.private-ip-address&Filter.1.Value.1=10.0.0.100",
    );
    for part in [
        "<networkInterfaceId>eni-01</networkInterfaceId>",
        "<item><privateIpAddress>10.0.0.11</privateIpAddress><primary>true</primary></item>",
        "<item><privateIpAddress>10.0.0.100</privateIpAddress><primary>false</primary></item>",
        "<item><key>a&amp;b</key><value>1</value></item>",
        "<instanceId>i-01</instanceId>",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
    assert!(!body.contains("eni-02"));
}
