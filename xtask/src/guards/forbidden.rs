//! What no tracked file may contain. The text check leaves this file out.

/// Macros that mark unfinished work or are for debugging.
pub const MACROS: [&str; 3] = ["dbg!(", "todo!(", "unimplemented!("];

/// Somebody's own directories, and hosts of package registries: where packages come from is for
/// each machine to say.
pub const WORDS: [&str; 11] = [
    "/home/",
    "/root/",
    "/Users/",
    "/work/",
    "deb.debian.org",
    "files.pythonhosted.org",
    "index.crates.io",
    "pypi.org",
    "registry.npmjs.org",
    "static.crates.io",
    "static.rust-lang.org",
];
