//! PNG images of all colour types and depths, interlaced or not.
use crate::inflate::inflate;
use crate::picture::{check_size, Rows};

type Result<T> = std::result::Result<T, &'static str>;

pub const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Color types.
const GREY: u8 = 0;
const RGB: u8 = 2;
const PALETTE: u8 = 3;
const GREY_ALPHA: u8 = 4;
const RGBA: u8 = 6;

pub struct Png {
    width: usize,
    height: usize,
    depth: usize, // bits of a sample
    color: u8,
    palette: [[u8; 4]; 256],
    key: Option<[u16; 3]>, // the colour that is transparent
    passes: Vec<Pass>,
    data: Vec<u8>, // of the passes, one behind the other
}

/// Every pixel of an image that is not interlaced, or one of the seven parts of one
/// that is: every dx-th of every dy-th row.
struct Pass {
    x: usize,
    y: usize,
    dx: usize,
    dy: usize,
    width: usize,
    height: usize,
    at: usize,     // in the data
    stride: usize, // bytes of a row: one that names the filter, and the samples
}

const WHOLE: [(usize, usize, usize, usize); 1] = [(0, 0, 1, 1)];
const ADAM7: [(usize, usize, usize, usize); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// Reads an image. All of it is checked and in memory then, as its bytes.
pub fn decode(data: &[u8]) -> Result<Png> {
    let mut rest = data.get(MAGIC.len()..).ok_or("it is cut short")?;
    let (name, header) = chunk(&mut rest)?;
    if name != b"IHDR" {
        return Err("it does not begin with its size");
    }
    let (mut png, passes) = header_of(header)?;
    let (mut compressed, mut has_palette) = (Vec::new(), false);
    loop {
        let (name, body) = chunk(&mut rest)?;
        match name {
            b"IEND" => break,
            b"IDAT" => compressed.extend_from_slice(body),
            b"PLTE" => has_palette = png.palette_of(body)?,
            b"tRNS" => png.transparency_of(body)?,
            [first, ..] if first & 0x20 == 0 => {
                return Err("it has a part that is not known but needed")
            }
            _ => {}
        }
    }
    if png.color == PALETTE && !has_palette {
        return Err("its palette is missing");
    }
    png.read(passes, &compressed)?;
    Ok(png)
}

/// Takes a chunk from the front.
fn chunk<'a>(rest: &mut &'a [u8]) -> Result<(&'a [u8; 4], &'a [u8])> {
    const CUT: &str = "it is cut short";
    let data = *rest;
    let size = be32(data).ok_or(CUT)? as usize;
    let end = size.checked_add(8).ok_or(CUT)?;
    let named = data.get(4..end).ok_or(CUT)?;
    let sum = be32(data.get(end..).ok_or(CUT)?).ok_or(CUT)?;
    if crc32(&[named]) != sum {
        return Err("it is damaged: wrong checksum");
    }
    *rest = &data[end + 4..];
    let (name, body) = named.split_at(4);
    Ok((name.try_into().map_err(|_| CUT)?, body))
}

fn be32(data: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(..4)?.try_into().ok()?))
}

/// The checksum of PNG, of parts one behind the other.
pub fn crc32(parts: &[&[u8]]) -> u32 {
    let mut table = [0; 256];
    for (i, entry) in table.iter_mut().enumerate() {
        *entry = (0..8).fold(i as u32, |c, _| {
            if c & 1 == 1 {
                c >> 1 ^ 0xedb88320
            } else {
                c >> 1
            }
        });
    }
    !parts.iter().flat_map(|p| p.iter()).fold(!0, |crc, byte| {
        crc >> 8 ^ table[(crc as u8 ^ byte) as usize]
    })
}

type Layout = &'static [(usize, usize, usize, usize)];

fn header_of(body: &[u8]) -> Result<(Png, Layout)> {
    let (width, height) = match (be32(body), body.get(4..).and_then(be32), body.len()) {
        (Some(w), Some(h), 13) => (w as usize, h as usize),
        _ => return Err("its header is damaged"),
    };
    check_size(width, height)?;
    let (depth, color) = (body[8], body[9]);
    let known: &[u8] = match color {
        GREY => &[1, 2, 4, 8, 16],
        PALETTE => &[1, 2, 4, 8],
        RGB | GREY_ALPHA | RGBA => &[8, 16],
        _ => &[],
    };
    if !known.contains(&depth) || body[10] != 0 || body[11] != 0 {
        return Err("it is of a kind that PNG does not have");
    }
    let passes: Layout = match body[12] {
        0 => &WHOLE,
        1 => &ADAM7,
        _ => return Err("it is interlaced in a way that PNG does not have"),
    };
    let png = Png {
        width,
        height,
        depth: depth as usize,
        color,
        palette: [[0, 0, 0, 255]; 256],
        key: None,
        passes: vec![],
        data: vec![],
    };
    Ok((png, passes))
}

impl Png {
    fn channels(&self) -> usize {
        match self.color {
            RGB => 3,
            GREY_ALPHA => 2,
            RGBA => 4,
            _ => 1,
        }
    }

    fn palette_of(&mut self, body: &[u8]) -> Result<bool> {
        if body.len() % 3 != 0 || body.len() > 3 * self.palette.len() {
            return Err("its palette is damaged");
        }
        for (entry, rgb) in self.palette.iter_mut().zip(body.chunks_exact(3)) {
            entry[..3].copy_from_slice(rgb);
        }
        Ok(true)
    }

    fn transparency_of(&mut self, body: &[u8]) -> Result<()> {
        let samples: Vec<u16> = body
            .chunks_exact(2)
            .map(|b| u16::from_be_bytes([b[0], b[1]]))
            .collect();
        match (self.color, samples.as_slice()) {
            (PALETTE, _) if body.len() <= self.palette.len() => {
                for (entry, alpha) in self.palette.iter_mut().zip(body) {
                    entry[3] = *alpha;
                }
            }
            (GREY, [v]) => self.key = Some([*v; 3]),
            (RGB, [r, g, b]) => self.key = Some([*r, *g, *b]),
            (GREY_ALPHA | RGBA, _) => {} // which have their own
            _ => return Err("its transparency is damaged"),
        }
        Ok(())
    }

    fn read(&mut self, layout: Layout, compressed: &[u8]) -> Result<()> {
        let pixel = self.channels() * self.depth;
        let mut at = 0;
        for &(x, y, dx, dy) in layout {
            let (width, height) = (
                (self.width + dx - 1).saturating_sub(x) / dx,
                (self.height + dy - 1).saturating_sub(y) / dy,
            );
            if width > 0 && height > 0 {
                let stride = 1 + (width * pixel + 7) / 8;
                self.passes.push(Pass {
                    x,
                    y,
                    dx,
                    dy,
                    width,
                    height,
                    at,
                    stride,
                });
                at += height * stride;
            }
        }
        self.data = inflate(compressed, at)?;
        for p in &self.passes {
            unfilter(
                &mut self.data[p.at..][..p.height * p.stride],
                p.stride,
                (pixel + 7) / 8,
            )?;
        }
        Ok(())
    }

    fn sample(&self, row: &[u8], i: usize) -> u16 {
        match self.depth {
            16 => u16::from_be_bytes([row[2 * i], row[2 * i + 1]]),
            8 => row[i] as u16,
            depth => {
                let bit = i * depth;
                (row[bit / 8] >> (8 - depth - bit % 8)) as u16 & ((1 << depth) - 1)
            }
        }
    }

    /// Returns a sample as one of eight bits.
    fn byte(&self, v: u16) -> u8 {
        let most = (1 << self.depth) - 1;
        ((v as u32 * 255 + most / 2) / most) as u8
    }

    fn pixel(&self, row: &[u8], i: usize) -> [u8; 4] {
        let n = self.channels();
        let mut s = [0; 4];
        for c in 0..n {
            s[c] = self.sample(row, i * n + c);
        }
        if self.color == PALETTE {
            return self.palette[s[0] as usize];
        }
        let [a, b, c, d] = s.map(|v| self.byte(v));
        let hidden = |color: [u16; 3]| if self.key == Some(color) { 0 } else { 255 };
        match self.color {
            GREY => [a, a, a, hidden([s[0]; 3])],
            RGB => [a, b, c, hidden([s[0], s[1], s[2]])],
            GREY_ALPHA => [a, a, a, b],
            _ => [a, b, c, d],
        }
    }
}

impl Rows for Png {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn row(&mut self, y: usize, rgba: &mut [u8]) {
        for pass in &self.passes {
            if y < pass.y || (y - pass.y) % pass.dy != 0 {
                continue;
            }
            let row =
                &self.data[pass.at + (y - pass.y) / pass.dy * pass.stride + 1..][..pass.stride - 1];
            for i in 0..pass.width {
                rgba[4 * (pass.x + i * pass.dx)..][..4].copy_from_slice(&self.pixel(row, i));
            }
        }
    }
}

/// Undoes the filters of rows, in which `back` is how far back the same byte of the
/// pixel before is.
fn unfilter(rows: &mut [u8], stride: usize, back: usize) -> Result<()> {
    let mut above = vec![0; stride];
    for row in rows.chunks_exact_mut(stride) {
        let filter = row[0];
        if filter > 4 {
            return Err("its data is damaged: no such filter");
        }
        for i in 1..stride {
            let (left, corner) = if i > back {
                (row[i - back], above[i - back])
            } else {
                (0, 0)
            };
            row[i] = row[i].wrapping_add(predict(filter, left, above[i], corner));
        }
        above.copy_from_slice(row);
    }
    Ok(())
}

/// Returns what a filter expects of a byte after those to the left, above and above
/// to the left.
pub fn predict(filter: u8, left: u8, above: u8, corner: u8) -> u8 {
    let (a, b, c) = (left as i32, above as i32, corner as i32);
    match filter {
        0 => 0,
        1 => left,
        2 => above,
        3 => ((a + b) / 2) as u8,
        _ => {
            let (pa, pb, pc) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
            if pa <= pb && pa <= pc {
                left
            } else if pb <= pc {
                above
            } else {
                corner
            }
        }
    }
}
