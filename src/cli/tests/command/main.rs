//! The command as people run it: the real binary, its output and its exit codes.

mod asking;
mod checking;
mod lambda;
mod ordering;
mod proxies;
mod rendering;
mod running;
