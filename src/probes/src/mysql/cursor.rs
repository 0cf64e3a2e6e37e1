//! Reads the fields of a packet, in order; past its end there is nothing.

/// What is left of a packet.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'p>(pub &'p [u8]);

impl<'p> Cursor<'p> {
    pub fn take(&mut self, length: usize) -> Option<&'p [u8]> {
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        Some(head)
    }

    pub fn rest(&mut self) -> &'p [u8] {
        std::mem::take(&mut self.0)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk()?;
        self.0 = tail;
        Some(*head)
    }

    pub fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Up to a zero byte, which is left out, or to the end: some servers forget the last one.
    pub fn until_zero(&mut self) -> &'p [u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        let (head, tail) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = tail.get(1..).unwrap_or_default();
        head
    }

    /// An integer of one, three, four or nine bytes.
    pub fn integer(&mut self) -> Option<u64> {
        match self.byte()? {
            small @ 0..=0xfa => Some(small.into()),
            0xfc => self.u16().map(u64::from),
            0xfd => self.array().map(|[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]).into()),
            0xfe => self.array().map(u64::from_le_bytes),
            _ => None,
        }
    }

    /// Bytes with their count before them.
    pub fn counted(&mut self) -> Option<&'p [u8]> {
        let length = self.integer()?;
        self.take(usize::try_from(length).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_order_and_nothing_past_the_end() {
        let mut packet = Cursor(b"\x02ab\xfc\x01\x02\xfd\x01\x02\x03zero\0rest");
        assert_eq!(packet.counted(), Some(&b"ab"[..]));
        assert_eq!(packet.integer(), Some(0x0201));
        assert_eq!(packet.integer(), Some(0x03_0201));
        assert_eq!(packet.until_zero(), b"zero");
        assert_eq!(packet.until_zero(), b"rest");
        assert_eq!((packet.until_zero(), packet.byte(), packet.u16()), (&b""[..], None, None));
        assert_eq!(Cursor(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xffx").counted(), None);
        assert_eq!(Cursor(b"\xfb").integer(), None, "NULL is no integer");
        assert_eq!(Cursor(b"\x05abc").counted(), None);
    }
}
