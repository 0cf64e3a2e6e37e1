//! What was read, and where.

/// A thing that was read, with the line it stands on, for the checks across tables.
pub(super) struct Placed<T> {
    pub line: usize,
    pub thing: T,
}
