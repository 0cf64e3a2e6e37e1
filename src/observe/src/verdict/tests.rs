use proptest::prelude::*;
use vipward_core::config::CheckKind;
use vipward_core::outcome::Pass;

use super::*;

const INTERVAL: Duration = Duration::from_secs(1);

fn machine(rise: u32, fall: u32) -> VerdictMachine {
    let timeout = Duration::from_millis(800);
    let check = Check {
        kind: CheckKind::Tcp,
        port: Some(1),
        interval: INTERVAL,
        confirm: Duration::from_millis(100),
        timeout,
        connect_timeout: timeout,
        rise,
        fall,
    };
    VerdictMachine::new(&check, Timestamp::UNIX_EPOCH)
}

fn next_probe(machine: &VerdictMachine) -> Timestamp {
    machine.deadline().expect("no probe is on its way")
}

fn outcome(letter: char) -> Outcome {
    match letter {
        'p' => Ok(Pass { role: None, lag: None }),
        'f' => Err(ProbeFailure::Failed("refused".to_owned())),
        't' => Err(ProbeFailure::TimedOut("late".to_owned())),
        'e' => Err(ProbeFailure::Inconclusive("wrong password".to_owned())),
        _ => unreachable!("{letter} is no outcome"),
    }
}

/// Runs instant probes of these outcomes; verdicts as letters (`H`, `U`, `?`), pauses as `.` for
/// a quick step and `_` for an interval.
fn play(machine: &mut VerdictMachine, outcomes: &str) -> (String, String) {
    let step = |letter| {
        let now = next_probe(machine);
        assert!(machine.poll(now));
        assert!(machine.deadline().is_none() && !machine.poll(now), "one at a time");
        machine.done(now, &outcome(letter));
        let pause = match Duration::try_from(next_probe(machine).duration_since(now)) {
            Ok(QUICK_STEP) => '.',
            Ok(INTERVAL) => '_',
            other => panic!("a pause of {other:?}"),
        };
        (verdict_letter(machine.verdict()), pause)
    };
    outcomes.chars().map(step).unzip()
}

fn verdict_letter(verdict: Verdict) -> char {
    match verdict {
        Verdict::Healthy => 'H',
        Verdict::Unhealthy => 'U',
        Verdict::Unknown => '?',
    }
}

#[test]
fn verdicts_and_pauses_follow_the_table() {
    // rise 3, fall 2
    let table = [
        ("the start is quick", "pppp", "??HH", "..__"),
        ("a start with failures is quick too", "fff", "?UU", ".__"),
        ("a timeout is as bad as a failure", "ft", "?U", "._"),
        ("one failure is not enough", "pppfpp", "??HHHH", ".._.__"),
        ("failures are confirmed quickly", "pppff", "??HHU", ".._._"),
        ("recovery takes whole intervals", "ffppppp", "?UUUHHH", ".______"),
        ("a failure starts recovery over", "ffppfppp", "?UUUUUUH", "._______"),
        ("errors are not failures", "pppee", "??HH?", ".._._"),
        ("nor are they passes", "ppppfef", "??HHH??", "..__..."),
        ("one error on an ill service changes nothing", "ffefe", "?UUUU", ".____"),
        ("errors on an ill service leave it unknown", "ffee", "?UU?", ".___"),
        ("after errors either verdict comes quickly", "eeppp", "????H", "._.._"),
        (
            "flapping without a verdict is not probed quickly for ever",
            "pfpfpfpf",
            "????????",
            "..._..._",
        ),
    ];
    for (what, outcomes, verdicts, pauses) in table {
        let (got_verdicts, got_pauses) = play(&mut machine(3, 2), outcomes);
        assert_eq!(got_verdicts, verdicts, "{what}: {outcomes}");

        assert_eq!(got_pauses, pauses, "{what}: {outcomes}");
    }
}

#[test]
fn a_change_names_both_verdicts_and_the_cause() {
    let mut machine = machine(1, 1);
    let now = Timestamp::UNIX_EPOCH;
    let to =
        |from, to, cause: Option<&str>| VerdictChange { from, to, cause: cause.map(str::to_owned) };
    let healthy = machine.done(now, &outcome('p'));
    assert_eq!(healthy, Some(to(Verdict::Unknown, Verdict::Healthy, None)));
    assert_eq!(machine.done(now, &outcome('p')), None);
    let unhealthy = machine.done(now, &outcome('f'));
    assert_eq!(unhealthy, Some(to(Verdict::Healthy, Verdict::Unhealthy, Some("refused"))));
    let unknown = machine.done(now, &outcome('e'));
    assert_eq!(unknown, Some(to(Verdict::Unhealthy, Verdict::Unknown, Some("wrong password"))));
}

#[test]
fn suspicion_makes_the_next_probe_due_at_once_but_never_twice_in_a_quick_step() {
    let mut machine = machine(1, 2);
    play(&mut machine, "p");
    let begun = next_probe(&machine) - INTERVAL;
    let later = begun + Duration::from_millis(300);
    machine.on_suspicion(later);
    assert_eq!(next_probe(&machine), later);
    assert_eq!(machine.verdict(), Verdict::Healthy, "suspicion is no verdict");
    assert!(machine.poll(later));
    machine.done(later, &outcome('p'));
    machine.on_suspicion(later);
    assert_eq!(next_probe(&machine), later + QUICK_STEP);
    // It never puts a probe off.
    machine.on_suspicion(later + INTERVAL * 2);
    assert_eq!(next_probe(&machine), later + QUICK_STEP);
}

#[test]
fn suspicion_during_a_probe_asks_for_another_since_the_reply_may_be_older() {
    let mut machine = machine(1, 2);
    play(&mut machine, "p");
    let begun = next_probe(&machine);
    assert!(machine.poll(begun));
    machine.on_suspicion(begun + Duration::from_millis(1));
    machine.done(begun + Duration::from_millis(2), &outcome('p'));
    assert_eq!(next_probe(&machine), begun + QUICK_STEP);
    play(&mut machine, "p");
    assert_eq!(next_probe(&machine), begun + QUICK_STEP + INTERVAL, "once");
}

#[test]
fn intervals_run_from_the_beginning_of_a_probe_and_a_late_one_is_followed_at_once() {
    let mut machine = machine(1, 1);
    let begun = next_probe(&machine);
    assert!(machine.poll(begun));
    machine.done(begun + Duration::from_millis(800), &outcome('t'));
    assert_eq!(next_probe(&machine), begun + INTERVAL);
    let begun = next_probe(&machine);
    let late = begun + Duration::from_secs(5);
    assert!(machine.poll(begun));
    machine.done(late, &outcome('t'));
    assert_eq!(next_probe(&machine), late);
}

/// The rules, read off the whole history each time instead of counted along.
fn model(history: &[char], rise: usize, fall: usize) -> Verdict {
    let mut verdict = Verdict::Unknown;
    for end in 1..=history.len() {
        let last_all = |count: usize, good: &dyn Fn(char) -> bool| {
            end >= count && history[end - count..end].iter().all(|letter| good(*letter))
        };
        if last_all(rise, &|letter| letter == 'p') {
            verdict = Verdict::Healthy;
        } else if last_all(fall, &|letter| "ft".contains(letter)) {
            verdict = Verdict::Unhealthy;
        } else if last_all(fall, &|letter| letter == 'e')
            || (verdict == Verdict::Healthy && last_all(fall, &|letter| letter != 'p'))
        {
            verdict = Verdict::Unknown;
        }
    }
    verdict
}

proptest! {
    #[test]
    fn the_machine_agrees_with_the_model(
        history in prop::collection::vec(prop::sample::select(vec!['p', 'p', 'f', 't', 'e']), 1..60),
        rise in 1_u32..5,
        fall in 1_u32..5,
        suspicions in prop::collection::vec(any::<bool>(), 60),
    ) {
        let mut machine = machine(rise, fall);
        let mut quick_steps = 0;
        let mut changes = Verdict::Unknown;
        for (index, letter) in history.iter().enumerate() {
            if suspicions[index] {
                machine.on_suspicion(next_probe(&machine) - QUICK_STEP);
            }
            let begun = next_probe(&machine);
            prop_assert!(machine.poll(begun));
            if let Some(change) = machine.done(begun, &outcome(*letter)) {
                prop_assert_eq!(change.from, changes);
                changes = change.to;
            }
            prop_assert_eq!(machine.verdict(), changes);
            let expected = model(&history[..=index], rise as usize, fall as usize);
            prop_assert_eq!(machine.verdict(), expected);
            let pause = next_probe(&machine).duration_since(begun);
            if pause == QUICK_STEP.try_into().expect("small") {
                quick_steps += 1;
            } else {
                prop_assert_eq!(pause, INTERVAL.try_into().expect("small"));
                quick_steps = 0;
            }
            prop_assert!(quick_steps <= rise.max(fall), "{} quick steps", quick_steps);
        }
    }
}
