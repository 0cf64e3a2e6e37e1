//! Chance, the same in every run: one stream of numbers for each actor, so that what one draws
//! changes nothing for another.

use std::time::Duration;

/// A stream of numbers that follows from a seed and its owner's name (`SplitMix64`).
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    /// The stream of `owner` under `seed`.
    pub fn new(seed: u64, owner: &str) -> Self {
        // FNV-1a: names that differ in one letter start far apart.
        let name = owner.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let mut stream = Self(seed ^ name);
        stream.next();
        stream
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// So many milliseconds.
    pub fn millis(&mut self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of them; there has to be one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        &from[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_follows_from_seed_and_name_alone() {
        let draw = |seed, name| {
            let mut stream = Stream::new(seed, name);
            (0..4).map(|_| stream.below(1_000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn numbers_lie_within_their_bounds() {
        let mut stream = Stream::new(7, "bounds");
        for _ in 0..1_000 {
            assert!((3..=5).contains(&stream.between(3, 5)));
            assert!(stream.below(2) < 2);
        }
        assert_eq!((stream.below(0), stream.between(4, 4)), (0, 4));
        assert!(!stream.percent(0) && stream.percent(100));
    }
}
