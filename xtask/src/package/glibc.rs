//! The C library that the programs ask for.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::{self, Workspace};

/// That of Amazon Linux 2023 and RHEL 9.
pub const OLDEST: Glibc = Glibc { major: 2, minor: 34 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    major: u32,
    minor: u32,
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The newest version of which the program uses a symbol.
pub fn asked_by(workspace: &Workspace, program: &Path) -> Result<Glibc> {
    let symbols = workspace::output(workspace.command("objdump").arg("-T").arg(program))?;
    newest(&symbols).with_context(|| format!("{} uses no symbol of glibc", program.display()))
}

/// The newest version in what `objdump -T` prints.
fn newest(symbols: &str) -> Option<Glibc> {
    symbols.split_whitespace().filter_map(version).max()
}

/// `(GLIBC_2.34)` or `GLIBC_2.2.5`; the third number distinguishes nothing that is still in use.
fn version(word: &str) -> Option<Glibc> {
    let numbers = word.trim_matches(['(', ')']).strip_prefix("GLIBC_")?;
    let mut numbers = numbers.split('.');
    let (major, minor) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some(Glibc { major, minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOLS: &str = "\
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.2.5) malloc
0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.34) pthread_create
0000000000000000  w   DF *UND*\t0000000000000000  GLIBC_2.9   pipe2
0000000000000000      DF *UND*\t0000000000000000 (GCC_4.2.0)  _Unwind_GetIP
";

    #[test]
    fn the_newest_symbol_tells_and_numbers_are_compared_as_such() {
        assert_eq!(newest(SYMBOLS), Some(OLDEST));
        assert_eq!(newest("(GLIBC_PRIVATE) x"), None);
        assert!(version("GLIBC_2.9") < version("GLIBC_2.34"));
        assert_eq!(OLDEST.to_string(), "2.34");
    }
}
