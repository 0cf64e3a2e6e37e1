//! IAM at the edge: who has a role of the template may do what it says, and what is refused has no
//! effect.

use super::{client, lab};

const MOVE: &str = "Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-02&PrivateIpAddress.1=127.0.0.100&AllowReassignment=true";

fn signed(key: &str, service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential={key}/20260102/us-east-1/{service}/aws4_request")
}

#[tokio::test]
async fn a_role_is_enforced_for_hosts_and_functions_and_told() {
    let mut lab = lab("").await;
    for principal in ["AKIAHOST", "ASIA02", "ASIAVIPWARDFAILOVER", "ASIABROKEN"] {
        let authorization = signed(principal, "ec2");
        let headers = [("authorization", authorization.as_str())];
        let refused = client::call(lab.endpoint(), "POST", "/", &headers, MOVE).await;
        let refused = refused.expect("an answer");
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("<Code>UnauthorizedOperation</Code>"), "{}", refused.body);
        let told = lab.told("denied").await;
        assert_eq!(told["principal"], principal);
        assert_eq!(told["action"], "ec2:AssignPrivateIpAddresses");
        let eni = "arn:aws:ec2:us-east-1:123456789012:network-interface/eni-02";
        assert_eq!(told["resource"], eni);
        assert_eq!(lab.told("api").await["status"], 403);
    }
    let state = lab.control("GET", "state", "").await;
    assert!(state.body.contains("\"127.0.0.100\": \"eni-01\""), "{}", state.body);

    let authorization = signed("AKIAHOST", "ec2");
    let headers = [("authorization", authorization.as_str())];
    let read =
        client::call(lab.endpoint(), "POST", "/", &headers, "Action=DescribeInstances").await;
    assert_eq!(read.expect("an answer").status, 200, "its role allows ec2:Describe*");
    lab.running.stop().await;
}
