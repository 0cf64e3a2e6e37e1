use std::env;
use std::process;

use super::*;

/// Every page that a set of programs has: one a program and one a subcommand.
fn pages(program: &Command) -> Vec<String> {
    let name = program.get_name();
    let subcommands = program.get_subcommands().filter(|sub| !sub.is_hide_set());
    let pages = subcommands.map(|sub| format!("{name}-{}.1", sub.get_name()));
    [format!("{name}.1")].into_iter().chain(pages).collect()
}

#[test]
fn each_program_has_its_pages_and_completions() {
    let dir = env::temp_dir().join(format!("vipward-manual-{}", process::id()));
    for program in programs() {
        write(program, &dir).expect("written");
    }
    for program in programs() {
        let name = program.get_name();
        for page in pages(&program) {
            let text = fs::read_to_string(dir.join("man").join(&page)).expect(&page);
            assert!(text.contains(".SH NAME"), "{page}: {text}");
        }
        for file in [format!("{name}.bash"), format!("{name}.fish"), format!("_{name}")] {
            let text = fs::read_to_string(dir.join("completions").join(&file)).expect(&file);
            assert!(text.contains("config"), "{file} completes no option");
        }
    }
    fs::remove_dir_all(dir).expect("removed");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let [program, ..] = programs();
    let error = write(program, Path::new("/dev/null/here")).expect_err("it is no folder");
    assert!(error.to_string().contains("/dev/null/here"), "{error}");
}
