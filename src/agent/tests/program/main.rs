//! The program as it is run: exit codes, its answers, the service manager's protocol, and life
//! without AWS.

mod asking;
mod checking;
mod harness;
mod leaving;
mod metadata;
mod pausing;
mod proxies;
mod reloading;
mod running;
