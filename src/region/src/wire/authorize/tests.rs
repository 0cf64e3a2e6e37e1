use vipward_region_model::iam::{NAMESPACE, SOURCE, TAG_KEYS};

use vipward_region_model::iam::Context;

use super::*;

const EVENTS: &str = r#"{"Entries":[{"Source":"a"},{"Detail":"{}"},{"Source":"b","EventBusName":"other"},{"Source":"c","EventBusName":"arn:aws:events:r:a:event-bus/x"}]}"#;

fn request(path: &str, target: &str, body: &str) -> Request {
    let mut request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        body: body.into(),
        ..Request::default()
    };
    if !target.is_empty() {
        request.headers.insert("x-amz-target".to_owned(), target.to_owned());
    }
    request
}

fn ask(request: &Request) -> Ask {
    let place = Place { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    read(&Call::read(request).expect("is a call"), request, &place)
}

/// A CBOR map of one text.
fn namespace(name: &str) -> Vec<u8> {
    let text = |text: &str| ciborium::Value::Text(text.to_owned());
    let mut body = Vec::new();
    let map = ciborium::Value::Map(vec![(text("Namespace"), text(name))]);
    ciborium::into_writer(&map, &mut body).expect("writes");
    body
}

#[test]
fn every_protocol_tells_what_it_is_about() {
    let eni = |id: &str| format!("arn:aws:ec2:us-east-1:123456789012:network-interface/{id}");
    let bus = |name: &str| format!("arn:aws:events:us-east-1:123456789012:event-bus/{name}");
    let function = "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned();
    let any = || vec!["*".to_owned()];
    let mut cbor =
        request("/service/GraniteServiceVersion20100801/operation/PutMetricData", "", "");
    cbor.body = namespace("N");
    let table = [
        (
            request(
                "/",
                "",
                "Version=2016-11-15&Action=AssignPrivateIpAddresses&NetworkInterfaceId=eni-1",
            ),
            ("ec2:AssignPrivateIpAddresses", vec![eni("eni-1")], None),
        ),
        (
            request(
                "/",
                "",
                "Version=2016-11-15&Action=CreateTags&ResourceId.1=eni-1&ResourceId.2=eni-2&Tag.1.Key=a&Tag.2.Key=b",
            ),
            ("ec2:CreateTags", vec![eni("eni-1"), eni("eni-2")], Some((TAG_KEYS, vec!["a", "b"]))),
        ),
        (
            request("/", "", "Version=2016-11-15&Action=DescribeTags"),
            ("ec2:DescribeTags", any(), None),
        ),
        (cbor, ("cloudwatch:PutMetricData", any(), Some((NAMESPACE, vec!["N"])))),
        (
            request("/", "GraniteServiceVersion20100801.PutMetricData", r#"{"Namespace":"N"}"#),
            ("cloudwatch:PutMetricData", any(), Some((NAMESPACE, vec!["N"]))),
        ),
        (
            request("/", "", "Version=2010-08-01&Action=PutMetricData&Namespace=N"),
            ("cloudwatch:PutMetricData", any(), Some((NAMESPACE, vec!["N"]))),
        ),
        (
            request("/", "AWSEvents.PutEvents", EVENTS),
            (
                "events:PutEvents",
                vec![
                    bus("default"),
                    bus("default"),
                    bus("other"),
                    "arn:aws:events:r:a:event-bus/x".to_owned(),
                ],
                Some((SOURCE, vec!["a", "", "b", "c"])),
            ),
        ),
        (request("/", "AWSEvents.PutEvents", "{"), ("events:PutEvents", any(), None)),
        (
            request("/2015-03-31/functions/f/invocations", "", ""),
            ("lambda:InvokeFunction", vec![function], None),
        ),
    ];
    for (request, (action, resources, said)) in table {
        let said = said.map(|(key, values)| (key, values.into_iter().map(str::to_owned).collect()));
        let wanted =
            Ask { action: action.to_owned(), resources, context: Context::from_iter(said) };
        assert_eq!(ask(&request), wanted);
    }
}

#[test]
fn a_refusal_has_the_code_and_status_of_its_protocol() {
    let denied = Denied {
        role: "arn:aws:iam::123456789012:role/R".to_owned(),
        resource: "*".to_owned(),
        unjudged: None,
    };
    let put = "GraniteServiceVersion20100801.PutMetricData";
    let table = [
        (request("/", "", "Version=2016-11-15&Action=CreateTags"), "UnauthorizedOperation", 403),
        (request("/", put, "{}"), "AccessDenied", 400),
        (request("/", "", "Version=2010-08-01&Action=PutMetricData"), "AccessDenied", 403),
        (request("/", "AWSEvents.PutEvents", "{}"), "AccessDeniedException", 400),
        (request("/2015-03-31/functions/f/invocations", "", ""), "AccessDeniedException", 403),
    ];
    for (request, code, status) in table {
        let call = Call::read(&request).expect("is a call");
        let error = refusal(&call, &request, &ask(&request), &denied);
        assert_eq!((error.code.as_ref(), error.status), (code, status));
        let who = "User: arn:aws:sts::123456789012:assumed-role/R/- is not authorized to perform: ";
        assert!(error.message.contains(who), "{}", error.message);
    }
    let json = request("/", put, "{}");
    let call = Call::read(&json).expect("is a call");
    let response = cloudwatch::refuse(&json, &refusal(&call, &json, &ask(&json), &denied));
    let body = String::from_utf8(response.body).expect("text");
    assert!(body.contains("#AccessDeniedException\""), "{body}");
    assert!(
        response
            .headers
            .contains(&("x-amzn-query-error".to_owned(), "AccessDenied;Sender".to_owned()))
    );
}
