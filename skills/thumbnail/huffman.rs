//! Canonical Huffman codes, which deflate and JPEG both have, read with one table.

/// The order in which the bits of a code are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    Most,
    Least,
}

/// A table is looked into with as many bits as the longest code has.
pub struct Table {
    pub bits: u32,
    entries: Vec<u16>, // the length of a code, 0 if it means nothing, above 11 bits of its symbol
}

impl Table {
    /// Makes the table of symbols and the lengths of their codes, at most 16 and in
    /// the order of the codes. There is none if these are more codes than there can be.
    pub fn new(codes: &[(u16, u32)], first: First) -> Option<Table> {
        let bits = codes.iter().map(|c| c.1).max().unwrap_or(0).max(1);
        let mut entries = vec![0; 1 << bits];
        let mut at = 0; // the next code, shifted to the length of the longest
        for &(symbol, length) in codes {
            let room = 1 << (bits - length);
            if at + room > entries.len() {
                return None;
            }
            let entry = symbol | (length as u16) << 11;
            if first == First::Most {
                entries[at..at + room].fill(entry);
            } else {
                let code = (at as u32).reverse_bits() >> (32 - bits);
                for i in 0..room {
                    entries[code as usize | i << length] = entry;
                }
            }
            at += room;
        }
        Some(Table { bits, entries })
    }

    /// Returns the symbol that the next bits are the code of, and how many of them are.
    pub fn look(&self, bits: u32) -> Option<(u16, u32)> {
        let entry = *self.entries.get(bits as usize)?;
        match entry >> 11 {
            0 => None,
            length => Some((entry & 0x7ff, length as u32)),
        }
    }
}
