//! Order, restarts and failures.

use super::*;
use crate::fixture::config;

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn web() -> ServiceName {
    "web".parse().expect("a name")
}

fn hook(program: &str) -> Hook {
    Hook { command: vec![program.to_owned()], user: None, timeout: Duration::from_secs(1) }
}

fn with(on_release: bool) -> Config {
    let mut config = config(80);
    config.services[0].hooks = HookConfig {
        on_acquire: Some(hook("/up")),
        on_release: on_release.then(|| hook("/down")),
        on_fault: Some(hook("/ill")),
    };
    config
}

fn remembered(applied: Option<Occasion>) -> Remembered {
    BTreeMap::from([(web(), Memo { applied, acquire_failed: false })])
}

fn hooks(applied: Option<Occasion>) -> Hooks {
    Hooks::new(&with(true), &remembered(applied))
}

fn due(hooks: &mut Hooks, now: Timestamp) -> Vec<Occasion> {
    std::iter::from_fn(|| hooks.poll(now)).map(|due| due.occasion).collect()
}

#[test]
fn a_hook_runs_when_the_state_differs_from_the_last_one_carried_out() {
    use Occasion::{Acquire, Release};
    for (applied, here, runs) in [
        (None, true, vec![Acquire]),
        (None, false, vec![Release]),
        (Some(Acquire), true, vec![]),
        (Some(Acquire), false, vec![Release]),
        (Some(Release), false, vec![]),
    ] {
        let mut hooks = hooks(applied);
        assert_eq!(due(&mut hooks, at(0)), [], "nothing is known yet");
        hooks.on_vip(&web(), Some(here));
        assert_eq!(due(&mut hooks, at(0)), runs, "{applied:?} {here}");
        assert_eq!(due(&mut hooks, at(0)), [], "one at a time");
    }
}

#[test]
fn each_runs_in_its_turn_and_what_was_overtaken_does_not_run() {
    let mut hooks = hooks(Some(Occasion::Release));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
    hooks.on_verdict(&web(), Verdict::Unhealthy);
    hooks.on_vip(&web(), Some(false));
    hooks.on_vip(&web(), Some(true));
    hooks.on_vip(&web(), Some(false));
    assert_eq!(due(&mut hooks, at(1)), [], "the first has not ended");
    hooks.done(at(2), &web(), None);
    assert_eq!(due(&mut hooks, at(2)), [Occasion::Fault]);
    hooks.done(at(3), &web(), None);
    assert_eq!(due(&mut hooks, at(3)), [Occasion::Release]);
    hooks.done(at(4), &web(), None);
    assert_eq!((due(&mut hooks, at(4)), hooks.deadline()), (vec![], None));
    assert_eq!(hooks.remembered(), remembered(Some(Occasion::Release)));
}

#[test]
fn what_failed_is_tried_again_while_its_state_lasts() {
    let mut hooks = hooks(Some(Occasion::Release));
    hooks.on_vip(&web(), Some(true));
    for (tried, again) in [(0, 5), (5, 15), (15, 45), (45, 105), (105, 165)] {
        assert_eq!(due(&mut hooks, at(tried)), [Occasion::Acquire]);
        hooks.done(at(tried), &web(), Some("exit code 1".to_owned()));
        assert_eq!((due(&mut hooks, at(tried)), hooks.deadline()), (vec![], Some(at(again))));
        assert_eq!(hooks.failing(), BTreeMap::from([(web(), true)]));
    }
    hooks.on_vip(&web(), Some(false));
    assert_eq!(due(&mut hooks, at(106)), [Occasion::Release], "what is half done is undone");
    hooks.done(at(107), &web(), None);
    assert_eq!(hooks.failing(), BTreeMap::from([(web(), false)]));
}

#[test]
fn while_nobody_knows_where_the_vip_is_nothing_is_tried_again() {
    let mut hooks = hooks(Some(Occasion::Release));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
    hooks.done(at(0), &web(), Some("exit code 1".to_owned()));
    hooks.on_vip(&web(), None);
    assert_eq!((due(&mut hooks, at(99)), hooks.deadline()), (vec![], None));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(99)), [Occasion::Acquire]);
}

#[test]
fn a_run_that_was_cut_off_is_not_remembered_as_done() {
    let mut hooks = hooks(Some(Occasion::Release));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
    assert_eq!(hooks.remembered(), remembered(None), "the agent may die now");
}

#[test]
fn a_fault_hook_is_not_tried_again() {
    let mut hooks = hooks(None);
    hooks.on_verdict(&web(), Verdict::Unhealthy);
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Fault]);
    hooks.done(at(1), &web(), Some("exit code 1".to_owned()));
    assert_eq!((due(&mut hooks, at(99)), hooks.deadline()), (vec![], None));
}

#[test]
fn a_service_that_was_ill_is_told_again() {
    let mut hooks = hooks(Some(Occasion::Acquire));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), []);
    hooks.on_verdict(&web(), Verdict::Unknown);
    hooks.on_verdict(&web(), Verdict::Healthy);
    assert_eq!(due(&mut hooks, at(0)), [], "it was never ill");
    hooks.on_verdict(&web(), Verdict::Unhealthy);
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Fault]);
    hooks.done(at(0), &web(), None);
    hooks.on_verdict(&web(), Verdict::Unknown);
    hooks.on_verdict(&web(), Verdict::Healthy);
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
    hooks.done(at(1), &web(), Some("exit code 1".to_owned()));
    assert_eq!(due(&mut hooks, at(6)), [Occasion::Acquire]);
    hooks.done(at(7), &web(), None);
    assert_eq!((due(&mut hooks, at(7)), hooks.deadline()), (vec![], None));
}

#[test]
fn an_ill_service_is_released_and_acquires_nothing_until_it_is_well() {
    let mut hooks = hooks(Some(Occasion::Release));
    hooks.on_verdict(&web(), Verdict::Unhealthy);
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Fault]);
    hooks.done(at(0), &web(), None);
    hooks.on_vip(&web(), Some(true));
    assert_eq!((due(&mut hooks, at(1)), hooks.deadline()), (vec![], None));
    hooks.on_verdict(&web(), Verdict::Healthy);
    assert_eq!(due(&mut hooks, at(2)), [Occasion::Acquire]);
    hooks.done(at(3), &web(), None);
    hooks.on_verdict(&web(), Verdict::Unhealthy);
    assert_eq!(due(&mut hooks, at(4)), [Occasion::Fault]);
    hooks.done(at(4), &web(), None);
    hooks.on_vip(&web(), Some(false));
    assert_eq!(due(&mut hooks, at(5)), [Occasion::Release]);
}

#[test]
fn a_failed_acquire_stays_known_until_one_succeeds() {
    let mut hooks = hooks(Some(Occasion::Release));
    let failing = |hooks: &Hooks| hooks.acquire_failed().contains(&web());
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
    assert!(!failing(&hooks));
    hooks.done(at(0), &web(), Some("exit code 1".to_owned()));
    assert!(failing(&hooks));
    hooks.on_vip(&web(), Some(false));
    assert_eq!(due(&mut hooks, at(1)), [Occasion::Release]);
    hooks.done(at(2), &web(), None);
    assert!(failing(&hooks), "a release says nothing of the next acquire");
    let mut again = Hooks::new(&with(true), &hooks.remembered());
    assert!(failing(&again), "nor does a restart");
    let mut without = with(true);
    without.services[0].hooks.on_acquire = None;
    let mut unhooked = again.clone();
    unhooked.on_config(&without);
    assert!(!failing(&unhooked), "there is no hook that could fail any more");
    again.on_vip(&web(), Some(true));
    assert_eq!(due(&mut again, at(3)), [Occasion::Acquire]);
    again.done(at(4), &web(), None);
    assert!(!failing(&again));
}

#[test]
fn a_state_without_a_hook_needs_none() {
    let mut hooks = Hooks::new(&with(false), &remembered(Some(Occasion::Acquire)));
    hooks.on_vip(&web(), Some(false));
    assert_eq!((due(&mut hooks, at(0)), hooks.deadline()), (vec![], None));
    hooks.on_vip(&web(), Some(true));
    assert_eq!(due(&mut hooks, at(0)), [Occasion::Acquire]);
}

#[test]
fn a_new_file_keeps_what_is_known_and_drops_what_it_does_not_name() {
    let mut hooks = hooks(Some(Occasion::Acquire));
    hooks.on_vip(&web(), Some(true));
    hooks.on_config(&with(false));
    assert_eq!(due(&mut hooks, at(0)), []);
    hooks.on_config(&config(80));
    assert_eq!(hooks.runs().count(), 0);
}
