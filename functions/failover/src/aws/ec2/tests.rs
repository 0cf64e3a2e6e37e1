//! What is asked of EC2, and what its answers are taken for.

use super::*;
use crate::aws::fixture::{config, id};
use aws_sdk_ec2::operation::assign_private_ip_addresses::AssignPrivateIpAddressesOutput;
use aws_sdk_ec2::operation::create_tags::CreateTagsOutput;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_network_interfaces::DescribeNetworkInterfacesOutput;
use aws_sdk_ec2::types::{Instance, NetworkInterfaceAttachment, NetworkInterfacePrivateIpAddress};
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use vipward_core::evidence::{Holder, Presence};

fn described(
    eni: &str,
    subnet: &str,
    instance: Option<&str>,
    addresses: &[&str],
) -> NetworkInterface {
    let private = addresses.iter().map(|address| {
        NetworkInterfacePrivateIpAddress::builder().private_ip_address(*address).build()
    });
    let attachment = instance.map(|instance| {
        NetworkInterfaceAttachment::builder()
            .instance_id(instance)
            .status(AttachmentStatus::Attached)
            .build()
    });
    NetworkInterface::builder()
        .network_interface_id(eni)
        .subnet_id(subnet)
        .set_attachment(attachment)
        .set_private_ip_addresses(Some(private.collect()))
        .tag_set(Tag::builder().key("k").value("v").build())
        .build()
}

fn asks_by(filter: &'static str, value: &'static str) -> impl Fn(&[Filter]) -> bool {
    move |filters| {
        let [only] = filters else { return false };
        only.name() == Some(filter) && only.values().iter().any(|v| v == value)
    }
}

#[tokio::test]
async fn the_inventory_is_read_by_filters_and_sees_foreign_holders() {
    let by_id = asks_by("network-interface-id", "eni-0000000a");
    let by_vip = asks_by("addresses.private-ip-address", "10.0.0.201");
    let ours = mock!(Client::describe_network_interfaces)
        .match_requests(move |request| {
            by_id(request.filters()) && request.max_results() == Some(1_000)
        })
        .then_output(|| {
            DescribeNetworkInterfacesOutput::builder()
                .network_interfaces(described(
                    "eni-0000000a",
                    "subnet-1",
                    Some("i-a"),
                    &["10.0.0.10"],
                ))
                .network_interfaces(described("eni-0000000b", "subnet-1", None, &["10.0.0.11"]))
                .build()
        });
    let holders = mock!(Client::describe_network_interfaces)
        .match_requests(move |request| by_vip(request.filters()))
        .then_output(|| {
            DescribeNetworkInterfacesOutput::builder()
                .network_interfaces(described(
                    "eni-ffffffff",
                    "subnet-1",
                    None,
                    &["10.0.0.9", "10.0.0.201"],
                ))
                .network_interfaces(described(
                    "eni-eeeeeeee",
                    "subnet-elsewhere",
                    None,
                    &["10.0.0.202"],
                ))
                .build()
        });
    let client = mock_client!(aws_sdk_ec2, RuleMode::MatchAny, [&ours, &holders]);
    let inventory = inventory(&client, &config()).await.expect("read");
    let holder = |vip: &str| inventory.holder(&config(), vip.parse().expect("an address"));
    assert_eq!(holder("10.0.0.201"), Holder::Foreign(id("eni-ffffffff")));
    assert_eq!(holder("10.0.0.202"), Holder::Nobody, "another subnet's address is not ours");
    assert_eq!(inventory.presence(&config().nodes[0]), Presence::Attached);
    assert_eq!(inventory.presence(&config().nodes[1]), Presence::Detached, "attached to nothing");
    assert_eq!(inventory.enis[&id("eni-0000000a")].tags["k"], "v");
}

#[tokio::test]
async fn instances_that_do_not_run_are_asked_for_by_our_interfaces() {
    let instances = mock!(Client::describe_instances)
        .match_requests(|request| request.filters().len() == 2)
        .then_output(|| {
            let stopped = Instance::builder().instance_id("i-a").build();
            let reservation = Reservation::builder().instances(stopped).build();
            DescribeInstancesOutput::builder().reservations(reservation).build()
        });
    let client = mock_client!(aws_sdk_ec2, [&instances]);
    let stopped = stopped_instances(&client, &config()).await.expect("read");
    assert_eq!(stopped, BTreeSet::from(["i-a".to_owned()]));
}

#[tokio::test]
async fn addresses_move_in_one_call_that_allows_reassignment_and_are_placed_by_one_that_does_not() {
    for (reassign, allows) in [(Reassign::Allowed, true), (Reassign::Forbidden, false)] {
        let rule = mock!(Client::assign_private_ip_addresses)
            .match_requests(move |request| {
                request.allow_reassignment() == Some(allows)
                    && request.network_interface_id() == Some("eni-0000000b")
                    && request.private_ip_addresses() == ["10.0.0.201", "10.0.0.202"]
            })
            .then_output(|| AssignPrivateIpAddressesOutput::builder().build());
        let client = mock_client!(aws_sdk_ec2, [&rule]);
        let vips = ["10.0.0.201", "10.0.0.202"].map(|vip| vip.parse().expect("an address"));
        assert_eq!(assign(&client, &id("eni-0000000b"), &vips, reassign).await, Ok(()));
        assert_eq!(rule.num_calls(), 1);
    }
}

#[tokio::test]
async fn tags_go_to_the_interface() {
    let rule = mock!(Client::create_tags)
        .match_requests(|request| {
            request.resources() == ["eni-0000000b"] && request.tags()[0].key() == Some("key")
        })
        .then_output(|| CreateTagsOutput::builder().build());
    let client = mock_client!(aws_sdk_ec2, [&rule]);
    let tags = BTreeMap::from([("key".to_owned(), "value".to_owned())]);
    assert_eq!(tag(&client, &id("eni-0000000b"), &tags).await, Ok(()));
}

/// What an answer of EC2 with that status, code and message is taken for.
async fn failure_of(status: u16, code: &'static str, message: &'static str) -> PortError {
    let rule = mock!(Client::assign_private_ip_addresses)
        .sequence()
        .http_status(
            status,
            Some(format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"
            )),
        )
        .repeatedly()
        .build();
    let client = mock_client!(aws_sdk_ec2, [&rule]);
    let vip = "10.0.0.201".parse().expect("an address");
    assign(&client, &id("eni-0000000b"), &[vip], Reassign::Allowed).await.expect_err("it fails")
}

#[tokio::test]
async fn failures_are_told_apart() {
    const TAKEN: &str = "[10.0.0.201] assigned, but move is not allowed.";
    for (status, code, message, said) in [
        (503, "RequestLimitExceeded", "words", "failed for now"),
        (400, "Throttling", "words", "failed for now"),
        (503, "Unavailable", "words", "failed for now"),
        (500, "InternalError", "words", "has no certain answer"),
        (400, "InvalidParameterValue", TAKEN, "found an address taken"),
        (403, "UnauthorizedOperation", "words", "was refused"),
        (400, "InvalidParameterValue", "words", "was refused"),
        (400, "PrivateIpAddressLimitExceeded", "words", "was refused"),
        (400, "InvalidNetworkInterfaceID.NotFound", "words", "was refused"),
    ] {
        let error = failure_of(status, code, message).await.to_string();
        assert_eq!(error, format!("AssignPrivateIpAddresses {said}: {code}: {message}"));
    }
}
