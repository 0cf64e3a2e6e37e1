//! `vipward check`: what is in order, what is not, and what could not be deployed.

use std::fmt::Write as _;
use std::fs;

use crate::running::{fixture, root, scratch, vipward};

#[test]
fn a_good_file_is_summed_up() {
    let run = vipward(&["check", "infra/example/vipward.toml"]);
    assert_eq!((run.exit_code, run.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(run.stdout);
}

#[test]
fn what_differs_from_the_usual_is_said_and_what_is_hardly_meant_too() {
    let pair = fs::read_to_string(root().join(fixture("pair.toml"))).expect("a fixture");
    let text = pair
        + "[[service]]\nname = \"docs\"\nvip = \"10.0.0.77\"\nrole = \"primary\"\nalias = \"follow\"\n\
           check = { kind = \"mongodb\", port = 27017 }\n\
           [[service]]\nname = \"orders\"\nvip = \"10.0.0.78\"\n\
           check = { kind = \"tcp\", port = 3306 }\n";
    let file = scratch("unusual.toml").display().to_string();
    fs::write(&file, text).expect("written");
    let run = vipward(&["check", &file]);
    let account = "mongodb on port 27017, follows the primary, alias follows the VIP\n";
    assert!(run.stdout.contains(account), "{}{}", run.stdout, run.stderr);
    let warning = "warning: the check of orders only sees that something listens on port 3306\n\
                   hint: kind = \"mysql\" asks the server itself\n";
    assert_eq!((run.exit_code, run.stderr.as_str()), (Some(0), warning));
}

#[test]
fn every_fault_is_told_and_nothing_on_standard_output() {
    for command in ["check", "render"] {
        let run = vipward(&[command, &fixture("faulty.toml")]);
        assert_eq!((run.exit_code, run.stdout.as_str()), (Some(3), ""));
        for line in [":3:", ":15:"] {
            assert!(run.stderr.contains(&format!("faulty.toml{line}")), "{}", run.stderr);
        }
        assert_eq!(run.stderr.matches("cure: ").count(), 2, "{}", run.stderr);
    }
}

#[test]
fn a_file_that_is_not_there_is_bad_configuration() {
    for arguments in [
        &["check", "nowhere.toml"][..],
        &["render", "nowhere.toml"],
        &["status", "--config", "nowhere.toml"],
    ] {
        let run = vipward(arguments);
        assert_eq!(run.exit_code, Some(3), "{arguments:?}");
        assert!(run.stderr.contains("nowhere.toml: cannot be read"), "{}", run.stderr);
    }
}

/// Forty services, forty observers, and an alarm for each pair of them.
fn too_large() -> String {
    let pair = fs::read_to_string(root().join(fixture("pair.toml"))).expect("a fixture");
    let mut text = format!("{pair}[policy]\npeer_alarms = true\n");
    for n in 1..40 {
        let (witness, vip) = (n + 20, n + 120);
        let check = "{ kind = \"tcp\", port = 80 }";
        let _ = write!(
            text,
            "[[witness]]\nname = \"w{n}\"\naddress = \"10.0.0.{witness}\"\n\
             [[service]]\nname = \"s{n}\"\nvip = \"10.0.0.{vip}\"\ncheck = {check}\n"
        );
    }
    text
}

#[test]
fn a_file_that_cloudformation_would_refuse_is_refused() {
    let file = scratch("too-large.toml").display().to_string();
    fs::write(&file, too_large()).expect("written");
    let output = scratch("too-large.yaml");
    let to_file = ["render", &file, "--output", &output.display().to_string()];
    for arguments in [&["check", &file][..], &to_file] {
        let run = vipward(arguments);
        assert_eq!(run.exit_code, Some(3), "{}", run.stderr);
        for part in ["CloudFormation allows 500", "cure: set peer_alarms = false"] {
            assert!(run.stderr.contains(part), "{}", run.stderr);
        }
    }
    assert!(!output.exists(), "nothing was written");
}

#[test]
fn usage_errors_exit_with_two() {
    for arguments in [&[][..], &["chekc"], &["check", "a", "b"], &["status", "--output", "xml"]] {
        assert_eq!(vipward(arguments).exit_code, Some(2), "{arguments:?}");
    }
}
