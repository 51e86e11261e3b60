//! Decompression of zlib streams (RFC 1950 and 1951).
use crate::huffman::{First, Table};

type Result<T> = std::result::Result<T, &'static str>;

const CUT: &str = "its compressed data ends too early";
const CODE: &str = "its compressed data is damaged: no such code";

const MORE: &str = "it has more pixels than its size says";

/// Lengths of matches and their distances: what a symbol means at least, and how
/// many bits say how much more.
pub const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
pub const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// The order in which the lengths of the codes for lengths come.
pub const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// Decompresses to exactly `size` bytes.
pub fn inflate(data: &[u8], size: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(size)
        .map_err(|_| "it needs too much memory")?;
    let mut s = Stream {
        data,
        at: 2,
        bits: 0,
        count: 0,
        size,
        out,
    };
    match data {
        [a, b, ..] if a & 15 == 8 && b & 0x20 == 0 && (*a as u32 * 256 + *b as u32) % 31 == 0 => {}
        _ => return Err("its data is not compressed as PNG has it"),
    }
    while !s.block()? {}
    if s.out.len() < size {
        return Err("it has fewer pixels than its size says");
    }
    s.align();
    let sum = (0..4).try_fold(0, |sum, _| Ok(sum << 8 | s.take(8)?))?;
    if sum != adler32(&s.out) {
        return Err("its compressed data is damaged: wrong checksum");
    }
    Ok(s.out)
}

/// The checksum of zlib.
pub fn adler32(data: &[u8]) -> u32 {
    let (mut a, mut b) = (1, 0);
    for part in data.chunks(5552) {
        // so long nothing overflows
        for byte in part {
            a += *byte as u32;
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    b << 16 | a
}

struct Stream<'a> {
    data: &'a [u8],
    at: usize,
    bits: u64, // read from data but not used, the next one lowest
    count: u32,
    size: usize,
    out: Vec<u8>,
}

impl Stream<'_> {
    fn fill(&mut self) {
        while self.count <= 56 {
            match self.data.get(self.at) {
                Some(byte) => self.bits |= (*byte as u64) << self.count,
                None => return,
            }
            self.count += 8;
            self.at += 1;
        }
    }

    fn drop(&mut self, n: u32) -> Result<()> {
        self.count = self.count.checked_sub(n).ok_or(CUT)?;
        self.bits >>= n;
        Ok(())
    }

    /// Returns the next bits, at most 16.
    fn take(&mut self, n: u32) -> Result<u32> {
        self.fill();
        let v = self.bits as u32 & ((1 << n) - 1);
        self.drop(n)?;
        Ok(v)
    }

    fn symbol(&mut self, table: &Table) -> Result<usize> {
        self.fill();
        let (symbol, length) = table
            .look(self.bits as u32 & ((1 << table.bits) - 1))
            .ok_or(CODE)?;
        self.drop(length)?;
        Ok(symbol as usize)
    }

    /// Goes on to the next whole byte.
    fn align(&mut self) {
        self.bits >>= self.count % 8;
        self.count -= self.count % 8;
    }

    /// Reads a block and tells whether it is the last one.
    fn block(&mut self) -> Result<bool> {
        let last = self.take(1)? == 1;
        match self.take(2)? {
            0 => self.stored()?,
            1 => {
                let lengths: Vec<u8> = (0..288)
                    .map(|i| {
                        if i < 144 {
                            8
                        } else if i < 256 {
                            9
                        } else if i < 280 {
                            7
                        } else {
                            8
                        }
                    })
                    .collect();
                self.matches(&table(&lengths)?, &table(&[5; 30])?)?;
            }
            2 => {
                let (symbols, distances) = self.tables()?;
                self.matches(&symbols, &distances)?;
            }
            _ => return Err("its compressed data is damaged: no such block"),
        }
        Ok(last)
    }

    fn stored(&mut self) -> Result<()> {
        self.align();
        let (n, inverse) = (self.take(16)?, self.take(16)?);
        if n != inverse ^ 0xffff {
            return Err("its compressed data is damaged: a block's length");
        }
        for _ in 0..n {
            let byte = self.take(8)? as u8;
            self.push(byte)?;
        }
        Ok(())
    }

    fn push(&mut self, byte: u8) -> Result<()> {
        if self.out.len() == self.size {
            return Err(MORE);
        }
        self.out.push(byte);
        Ok(())
    }

    /// Reads the codes of a block.
    fn tables(&mut self) -> Result<(Table, Table)> {
        let (symbols, distances, n) = (
            self.take(5)? as usize + 257,
            self.take(5)? as usize + 1,
            self.take(4)? as usize + 4,
        );
        let mut lengths = [0; 19];
        for &i in &ORDER[..n] {
            lengths[i] = self.take(3)? as u8;
        }
        let codes = table(&lengths)?;
        let mut all: Vec<u8> = Vec::new();
        while all.len() < symbols + distances {
            let (length, times) = match self.symbol(&codes)? {
                16 => (*all.last().ok_or(CODE)?, self.take(2)? + 3),
                17 => (0, self.take(3)? + 3),
                18 => (0, self.take(7)? + 11),
                length => (length as u8, 1),
            };
            all.extend((0..times).map(|_| length));
        }
        if all.len() > symbols + distances {
            return Err(CODE);
        }
        Ok((table(&all[..symbols])?, table(&all[symbols..])?))
    }

    /// Reads literals and matches to the end of a block.
    fn matches(&mut self, symbols: &Table, distances: &Table) -> Result<()> {
        loop {
            let symbol = self.symbol(symbols)?;
            match symbol {
                0..=255 => self.push(symbol as u8)?,
                256 => return Ok(()),
                _ => {
                    let &(length, more) = LENGTHS.get(symbol - 257).ok_or(CODE)?;
                    let length = length as usize + self.take(more as u32)? as usize;
                    let &(distance, more) = DISTANCES.get(self.symbol(distances)?).ok_or(CODE)?;
                    let distance = distance as usize + self.take(more as u32)? as usize;
                    self.repeat(length, distance)?;
                }
            }
        }
    }

    fn repeat(&mut self, length: usize, distance: usize) -> Result<()> {
        let from = self
            .out
            .len()
            .checked_sub(distance)
            .ok_or("its compressed data is damaged: a match before its start")?;
        if length > self.size - self.out.len() {
            return Err(MORE);
        }
        let mut left = length;
        while left > 0 {
            let n = left.min(self.out.len() - from); // it may repeat what it writes
            self.out.extend_from_within(from..from + n);
            left -= n;
        }
        Ok(())
    }
}

/// Makes the table of the lengths of codes by symbol.
fn table(lengths: &[u8]) -> Result<Table> {
    let mut codes: Vec<(u16, u32)> = lengths
        .iter()
        .enumerate()
        .filter(|(_, l)| **l > 0)
        .map(|(i, l)| (i as u16, *l as u32))
        .collect();
    codes.sort_by_key(|c| c.1); // which keeps the order of symbols
    Table::new(&codes, First::Least).ok_or(CODE)
}
