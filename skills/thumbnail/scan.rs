//! The scans of a JPEG: coefficients of blocks in Huffman codes.
use crate::huffman::Table;
use crate::idct::ZIGZAG;
use crate::jpeg::{Jpeg, CUT};

type Result<T> = std::result::Result<T, &'static str>;

const CODE: &str = "its compressed data is damaged";

/// What is in a scan: for each component some of the 64 coefficients and of their bits.
pub struct Scan {
    pub parts: Vec<Part>,
    pub from: usize,
    pub to: usize,
    pub refine: bool, // one more bit of what is known
    pub low: u32,     // the bits that are missing still
    pub progressive: bool,
}

impl Scan {
    /// Makes a scan of n components of the three bytes that end its head.
    pub fn new(progressive: bool, n: usize, head: &[u8]) -> Option<Scan> {
        let (mut from, mut to, mut bits) = (head[0], head[1], head[2]);
        if !progressive {
            (from, to, bits) = (0, 63, 0);
        }
        let low = bits & 15;
        let whole = !progressive || from > 0 || to == 0; // DC comes without AC
        if from > to || to > 63 || low > 13 || !whole || (from > 0 && n > 1) {
            return None;
        }
        Some(Scan {
            parts: vec![],
            from: from as usize,
            to: to as usize,
            refine: bits > 15,
            low: low as u32,
            progressive,
        })
    }
}

/// A component and its codes.
pub struct Part {
    pub component: usize,
    pub dc: usize,
    pub ac: usize,
}

/// Reads a scan whose data begins at `at`, and returns where the next marker is.
pub fn read(jpeg: &mut Jpeg, scan: Scan, data: &[u8], at: usize) -> Result<usize> {
    let mut components = std::mem::take(&mut jpeg.components);
    let one = scan.parts.len() == 1;
    let first = &components[scan.parts[0].component];
    // Of one component, blocks come one by one, without those that fill units.
    let (columns, rows) = if one {
        (first.wide, first.high)
    } else {
        jpeg.units()
    };
    let mut r = Reader {
        bits: Bits {
            data,
            at,
            bits: 0,
            count: 0,
        },
        scan: &scan,
        predicted: [0; 4],
        run: 0,
    };
    for unit in 0..columns * rows {
        if jpeg.interval() > 0 && unit > 0 && unit % jpeg.interval() == 0 {
            r.restart()?;
        }
        let (x, y) = (unit % columns, unit / columns);
        for (i, part) in scan.parts.iter().enumerate() {
            let c = &mut components[part.component];
            let (across, down) = if one { (1, 1) } else { (c.across, c.down) };
            for k in 0..across * down {
                let block =
                    &mut c.blocks[(y * down + k / across) * c.columns + x * across + k % across];
                r.block(jpeg, i, block)?;
            }
        }
    }
    jpeg.components = components;
    Ok(r.bits.at)
}

struct Reader<'a> {
    bits: Bits<'a>,
    scan: &'a Scan,
    predicted: [i32; 4], // DC of the block before, by parts of the scan
    run: u32,            // blocks that have nothing more in this scan
}

impl Reader<'_> {
    fn restart(&mut self) -> Result<()> {
        self.bits.restart()?;
        (self.predicted, self.run) = ([0; 4], 0);
        Ok(())
    }

    fn block(&mut self, jpeg: &Jpeg, i: usize, block: &mut [i16; 64]) -> Result<()> {
        let (scan, part) = (self.scan, &self.scan.parts[i]);
        if scan.from == 0 {
            if scan.refine {
                block[0] |= (self.bits.take(1)? << scan.low) as i16;
            } else {
                self.dc(jpeg.tables.code(0, part.dc)?, i, block)?;
            }
        }
        match (scan.progressive, scan.refine) {
            _ if scan.to == 0 => Ok(()),
            (false, _) => self.all(jpeg.tables.code(1, part.ac)?, block),
            (true, false) => self.some(jpeg.tables.code(1, part.ac)?, block),
            (true, true) => self.refined(jpeg.tables.code(1, part.ac)?, block),
        }
    }

    fn dc(&mut self, table: &Table, i: usize, block: &mut [i16; 64]) -> Result<()> {
        let size = self.bits.symbol(table)?;
        if size > 11 {
            return Err(CODE);
        }
        self.predicted[i] = self.predicted[i].wrapping_add(self.bits.number(size)?);
        block[0] = (self.predicted[i] << self.scan.low) as i16;
        Ok(())
    }

    /// Reads all other coefficients of a baseline block.
    fn all(&mut self, table: &Table, block: &mut [i16; 64]) -> Result<()> {
        let mut k = 1;
        while k < 64 {
            let symbol = self.bits.symbol(table)?;
            let (zeros, size) = (symbol as usize >> 4, symbol & 15);
            if size == 0 && zeros < 15 {
                break;
            }
            k += zeros;
            let z = *ZIGZAG.get(k).ok_or(CODE)?;
            block[z] = self.bits.number(size)? as i16;
            k += 1;
        }
        Ok(())
    }

    /// Reads the first bits of some coefficients.
    fn some(&mut self, table: &Table, block: &mut [i16; 64]) -> Result<()> {
        if self.run > 0 {
            self.run -= 1;
            return Ok(());
        }
        let mut k = self.scan.from;
        while k <= self.scan.to {
            let symbol = self.bits.symbol(table)?;
            let (zeros, size) = (symbol as usize >> 4, symbol & 15);
            if size == 0 && zeros < 15 {
                self.run = self.run_of(zeros as u32)? - 1;
                break;
            }
            k += zeros;
            let z = *ZIGZAG.get(k).ok_or(CODE)?;
            block[z] = (self.bits.number(size)? << self.scan.low) as i16;
            k += 1;
        }
        Ok(())
    }

    /// Reads how many blocks have nothing more, with this one.
    fn run_of(&mut self, size: u32) -> Result<u32> {
        Ok((1 << size) + self.bits.take(size)?)
    }

    /// Reads one more bit of coefficients that are not 0, and those that were 0 so far.
    fn refined(&mut self, table: &Table, block: &mut [i16; 64]) -> Result<()> {
        let one = 1 << self.scan.low;
        let mut k = self.scan.from;
        while k <= self.scan.to && self.run == 0 {
            let symbol = self.bits.symbol(table)?;
            let (zeros, size) = (symbol as usize >> 4, symbol & 15);
            let new = match size {
                0 if zeros < 15 => {
                    self.run = self.run_of(zeros as u32)?;
                    break;
                }
                0 => 0,
                1 if self.bits.take(1)? == 1 => one,
                1 => -one,
                _ => return Err(CODE),
            };
            k = self.skip(block, k, zeros)?;
            if new != 0 {
                block[*ZIGZAG.get(k).filter(|_| k <= self.scan.to).ok_or(CODE)?] = new;
            }
            k += 1;
        }
        if self.run > 0 {
            self.skip(block, k, 64)?;
            self.run -= 1;
        }
        Ok(())
    }

    /// Refines coefficients from k on, beyond as many that are 0, to the next that is or
    /// to the end.
    fn skip(&mut self, block: &mut [i16; 64], mut k: usize, mut zeros: usize) -> Result<usize> {
        let one = 1 << self.scan.low;
        while k <= self.scan.to {
            let v = &mut block[ZIGZAG[k]];
            if *v == 0 {
                if zeros == 0 {
                    break;
                }
                zeros -= 1;
            } else if self.bits.take(1)? == 1 && *v & one == 0 {
                *v = v.wrapping_add(if *v > 0 { one } else { -one });
            }
            k += 1;
        }
        Ok(k)
    }
}

/// The bits of a scan, up to the next marker.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    bits: u64, // read from data but not used, the next one highest of count
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 48 {
            let step = match (self.data.get(self.at), self.data.get(self.at + 1)) {
                (Some(0xff), Some(0)) => 2,
                (Some(0xff), _) | (None, _) => return,
                _ => 1,
            };
            self.bits = self.bits << 8 | self.data[self.at] as u64;
            self.count += 8;
            self.at += step;
        }
    }

    /// Returns the next bits, at most 16, without those that are not there.
    fn look(&mut self, n: u32) -> u32 {
        self.fill();
        let bits = if self.count >= n {
            self.bits >> (self.count - n)
        } else {
            self.bits << (n - self.count)
        };
        bits as u32 & ((1 << n) - 1)
    }

    fn drop(&mut self, n: u32) -> Result<()> {
        self.count = self.count.checked_sub(n).ok_or(CUT)?;
        Ok(())
    }

    fn take(&mut self, n: u32) -> Result<u32> {
        let bits = self.look(n);
        self.drop(n)?;
        Ok(bits)
    }

    fn symbol(&mut self, table: &Table) -> Result<u32> {
        let bits = self.look(table.bits);
        let (symbol, length) = table
            .look(bits)
            .ok_or(if self.count == 0 { CUT } else { CODE })?;
        self.drop(length)?;
        Ok(symbol as u32)
    }

    /// Reads a number of so many bits, the first of which is 0 if it is negative.
    fn number(&mut self, size: u32) -> Result<i32> {
        let v = self.take(size)? as i32;
        Ok(if size > 0 && v < 1 << (size - 1) {
            v - (1 << size) + 1
        } else {
            v
        })
    }

    /// Goes beyond a marker that must come now.
    fn restart(&mut self) -> Result<()> {
        self.fill();
        match (self.data.get(self.at), self.data.get(self.at + 1)) {
            (Some(0xff), Some(0xd0..=0xd7)) if self.count < 8 => self.at += 2,
            (None, _) => return Err(CUT),
            _ => return Err("its compressed data is damaged: a restart is missing"),
        }
        (self.bits, self.count) = (0, 0);
        Ok(())
    }
}
