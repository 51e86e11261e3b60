//! Compression to zlib streams: matches found by chains of hashes, and codes of each
//! block's own.
use crate::inflate::{adler32, DISTANCES, LENGTHS, ORDER};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const WINDOW: usize = 32 << 10;
const SHORTEST: usize = 4; // one of three bytes is seldom worth its distance
const LONGEST: usize = 258;
const CHAIN: usize = 128; // places looked at for a match
const BLOCK: usize = 32 << 10; // literals and matches of a block
const END: usize = 256;

/// Compresses bytes.
pub fn deflate(data: &[u8]) -> Vec<u8> {
    let tokens = tokens(data);
    let mut out = Bits {
        out: vec![0x78, 0xda],
        bits: 0,
        count: 0,
    };
    let mut blocks = tokens.chunks(BLOCK).peekable();
    if tokens.is_empty() {
        block(&mut out, &[], true);
    }
    while let Some(b) = blocks.next() {
        block(&mut out, b, blocks.peek().is_none());
    }
    out.put(0, (8 - out.count % 8) % 8);
    out.out.extend_from_slice(&adler32(data).to_be_bytes());
    out.out
}

/// A literal, whose distance is 0, or a match.
#[derive(Clone, Copy)]
struct Token {
    value: u16, // the byte, or the length
    distance: u16,
}

/// The places that four bytes with the same hash are at.
struct Places {
    last: Vec<u32>,   // by hash; 0: none, else one more than the place
    before: Vec<u32>, // by place
}

impl Places {
    fn hash(data: &[u8], at: usize) -> usize {
        let v = u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        (v.wrapping_mul(0x9e37_79b1) >> 17) as usize
    }

    fn add(&mut self, data: &[u8], at: usize) {
        if at + SHORTEST <= data.len() {
            let hash = Places::hash(data, at);
            self.before[at] = self.last[hash];
            self.last[hash] = at as u32 + 1;
        }
    }

    /// Returns the length of the longest match and its distance; 0 if there is none.
    fn best(&self, data: &[u8], at: usize) -> (usize, usize) {
        let most = LONGEST.min(data.len() - at);
        let mut best = (0, 0);
        if most < SHORTEST {
            return best;
        }
        let mut next = self.last[Places::hash(data, at)] as usize;
        for _ in 0..CHAIN {
            if next == 0 || at - (next - 1) > WINDOW {
                break;
            }
            let from = next - 1;
            let length = (0..most)
                .take_while(|i| data[from + i] == data[at + i])
                .count();
            if length >= SHORTEST && length > best.0 {
                best = (length, at - from);
                if length == most {
                    break;
                }
            }
            next = self.before[from] as usize;
        }
        best
    }
}

/// Cuts bytes into literals and matches. A match waits for a longer one that begins at
/// the next byte.
fn tokens(data: &[u8]) -> Vec<Token> {
    let mut places = Places {
        last: vec![0; 1 << 15],
        before: vec![0; data.len()],
    };
    let (mut tokens, mut at) = (Vec::new(), 0);
    let mut next = None;
    while at < data.len() {
        let (length, distance) = next.take().unwrap_or_else(|| places.best(data, at));
        places.add(data, at);
        if length >= SHORTEST && at + 1 < data.len() {
            next = Some(places.best(data, at + 1)).filter(|n| n.0 > length);
        }
        if length < SHORTEST || next.is_some() {
            tokens.push(Token {
                value: data[at] as u16,
                distance: 0,
            });
            at += 1;
            continue;
        }
        tokens.push(Token {
            value: length as u16,
            distance: distance as u16,
        });
        (at + 1..at + length).for_each(|i| places.add(data, i));
        at += length;
    }
    tokens
}

/// Returns the last entry of a table that is not above a value, and how much is missing.
fn entry(table: &[(u16, u8)], value: u16) -> (usize, u32, u32) {
    let i = table.partition_point(|e| e.0 <= value) - 1;
    (i, (value - table[i].0) as u32, table[i].1 as u32)
}

/// Writes a block.
fn block(out: &mut Bits, tokens: &[Token], last: bool) {
    let (mut symbols, mut distances) = ([0; 286], [0; 30]);
    symbols[END] = 1;
    (distances[0], distances[1]) = (1, 1); // a code of less than two is not read by all
    for t in tokens {
        if t.distance == 0 {
            symbols[t.value as usize] += 1;
        } else {
            symbols[END + 1 + entry(&LENGTHS, t.value).0] += 1;
            distances[entry(&DISTANCES, t.distance).0] += 1;
        }
    }
    let (symbols, distances) = (Code::new(&symbols, 15), Code::new(&distances, 15));
    out.put(last as u32, 1);
    out.put(2, 2);
    head(out, &symbols, &distances);
    for t in tokens {
        if t.distance == 0 {
            symbols.put(out, t.value as usize);
            continue;
        }
        for (code, first, (i, more, bits)) in [
            (&symbols, END + 1, entry(&LENGTHS, t.value)),
            (&distances, 0, entry(&DISTANCES, t.distance)),
        ] {
            code.put(out, first + i);
            out.put(more, bits);
        }
    }
    symbols.put(out, END);
}

/// Writes the lengths of the codes of a block.
fn head(out: &mut Bits, symbols: &Code, distances: &Code) {
    let used = |code: &Code, least: usize| {
        code.lengths
            .iter()
            .rposition(|l| *l > 0)
            .map_or(least, |i| (i + 1).max(least))
    };
    let (n, m) = (used(symbols, 257), used(distances, 1));
    let runs = runs(&[&symbols.lengths[..n], &distances.lengths[..m]].concat());
    let mut counts = [0; 19];
    runs.iter().for_each(|r| counts[r.0] += 1);
    let code = Code::new(&counts, 7);
    let orders = ORDER
        .iter()
        .rposition(|i| code.lengths[*i] > 0)
        .map_or(4, |i| (i + 1).max(4));
    out.put(n as u32 - 257, 5);
    out.put(m as u32 - 1, 5);
    out.put(orders as u32 - 4, 4);
    for i in &ORDER[..orders] {
        out.put(code.lengths[*i], 3);
    }
    for (symbol, more, bits) in runs {
        code.put(out, symbol);
        out.put(more, bits);
    }
}

/// Returns lengths as symbols: themselves, or a run of one, with how long it is and in
/// how many bits.
fn runs(lengths: &[u32]) -> Vec<(usize, u32, u32)> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < lengths.len() {
        let same = lengths[at..]
            .iter()
            .take_while(|l| **l == lengths[at])
            .count();
        at += match (lengths[at], same) {
            (0, 11..) => {
                out.push((18, same.min(138) as u32 - 11, 7));
                same.min(138)
            }
            (0, 3..) => {
                out.push((17, same as u32 - 3, 3));
                same
            }
            (length, 4..) => {
                let again = (same - 1).min(6);
                out.push((length as usize, 0, 0));
                out.push((16, again as u32 - 3, 2));
                again + 1
            }
            (length, _) => {
                out.push((length as usize, 0, 0));
                1
            }
        };
    }
    out
}

/// A canonical Huffman code.
struct Code {
    lengths: Vec<u32>,
    codes: Vec<u32>, // the first bit lowest
}

impl Code {
    /// Makes the code of symbols that are so frequent, of at most `most` bits.
    fn new(counts: &[u32], most: u32) -> Code {
        let mut counts = counts.to_vec();
        let mut lengths = lengths(&counts);
        while lengths.iter().any(|l| *l > most) {
            counts
                .iter_mut()
                .filter(|n| **n > 0)
                .for_each(|n| *n = *n / 2 + 1); // which makes them more alike
            lengths = self::lengths(&counts);
        }
        let (mut codes, mut next) = (vec![0; lengths.len()], 0);
        for length in 1..=most {
            for (code, _) in codes
                .iter_mut()
                .zip(&lengths)
                .filter(|(_, l)| **l == length)
            {
                *code = u32::reverse_bits(next) >> (32 - length);
                next += 1;
            }
            next <<= 1;
        }
        Code { lengths, codes }
    }

    fn put(&self, out: &mut Bits, symbol: usize) {
        out.put(self.codes[symbol], self.lengths[symbol]);
    }
}

/// Returns the lengths of the codes that Huffman's algorithm makes.
fn lengths(counts: &[u32]) -> Vec<u32> {
    let n = counts.len();
    let mut heap: BinaryHeap<Reverse<(u32, usize)>> = counts
        .iter()
        .enumerate()
        .filter(|(_, c)| **c > 0)
        .map(|(i, c)| Reverse((*c, i)))
        .collect();
    let mut lengths = vec![0; n];
    if heap.len() == 1 {
        heap.iter().for_each(|Reverse((_, i))| lengths[*i] = 1);
    }
    let mut above = vec![0; n]; // of symbols and of what they are put together to
    while let (Some(Reverse((a, i))), Some(Reverse((b, j)))) = (heap.pop(), heap.pop()) {
        let together = above.len();
        above.push(0);
        (above[i], above[j]) = (together, together);
        heap.push(Reverse((a + b, together)));
    }
    let mut depths = vec![0; above.len()];
    for i in (0..above.len()).rev().filter(|i| above[*i] > 0) {
        depths[i] = depths[above[i]] + 1;
    }
    for (length, depth) in lengths.iter_mut().zip(depths) {
        *length = depth.max(*length);
    }
    lengths
}

struct Bits {
    out: Vec<u8>,
    bits: u64,
    count: u32,
}

impl Bits {
    /// Writes bits, the lowest first.
    fn put(&mut self, bits: u32, n: u32) {
        self.bits |= (bits as u64) << self.count;
        self.count += n;
        while self.count >= 8 {
            self.out.push(self.bits as u8);
            self.bits >>= 8;
            self.count -= 8;
        }
    }
}
