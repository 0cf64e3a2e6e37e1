//! Groups keep their order, kinds go by number, and figures can be read.

use super::*;

fn tally() -> Tally {
    let mut tally = Tally::default();
    for (group, name, injected) in [
        (Group::HostSide, "alias unit crash", 5),
        (Group::Services, "service crash", 1_204),
        (Group::Services, "service slow", 2_000_000),
    ] {
        let line = Line { injected, moves: 1, holds: 22, alerts: 333 };
        tally.lines.insert(FaultClass { group, name }, line);
    }
    tally.holds = [("holder-up".to_owned(), 900), ("no-candidate".to_owned(), 7)].into();
    (tally.histories, tally.moves) = (3, 1_234);
    tally
}

#[test]
fn thousands_are_set_apart() {
    let figures = [0, 999, 1_000, 12_345, 1_234_567].map(grouped);
    assert_eq!(figures, ["0", "999", "1,000", "12,345", "1,234,567"]);
}

#[test]
fn the_table_goes_by_group_and_number() {
    let text = table(&tally(), 0);
    let want = "                                              meanwhile or in the minute after
fault                               injected     moves     holds    alerts
Services
  service slow                     2,000,000         1        22       333
  service crash                        1,204         1        22       333
Interfaces and alias units
  alias unit crash                         5         1        22       333
held for: holder-up 900, no-candidate 7
moves decided: \nall together: histories 3, simulated hours 0, faults 2,001,209, moves 1,234, holds 7, alerts 0, alias repairs 0, rules broken 0
";
    assert_eq!(text, want);
}

#[test]
fn the_picture_tells_the_same_and_that_a_rule_was_broken() {
    let svg = picture(&tally(), 2);
    let order = ["Services", "service slow", "service crash", "Interfaces and alias units"];
    let places = order.map(|name| svg.find(&format!(">{name}<")).expect("it is there"));
    assert!(places.is_sorted(), "{places:?}");
    assert!(svg.contains(MEANWHILE) && svg.contains(" · 2 rules broken"), "{svg}");
    assert_eq!(svg.matches("<svg").count(), svg.matches("</svg>").count());
}
