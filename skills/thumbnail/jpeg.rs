//! JPEG images, baseline and progressive, as their parts stand one behind the other.
use crate::exif;
use crate::idct::block;
use crate::picture::{check_size, Rows};
use crate::scan::{self, Scan};
use crate::tables::{be16, Tables};

type Result<T> = std::result::Result<T, &'static str>;

pub const CUT: &str = "it is cut short";

/// A progressive image needs ten or so.
const MAX_SCANS: usize = 200;

pub struct Jpeg {
    width: usize,
    height: usize,
    progressive: bool,
    pub components: Vec<Component>,
    across: usize, // the most samples of any component in one of its units of eight, in each direction
    down: usize,
    pub tables: Tables,
    interval: usize,     // of restarts, in units; 0: none
    adobe: Option<u8>,   // how colours are transformed, if it says so
    pub orientation: u8, // 1 to 8, as Exif has it
    colors: Colors,
    strip: usize, // which row of units the components' samples are of, from 1
}

/// What the components of an image are.
#[derive(Clone, Copy)]
enum Colors {
    Grey,
    Rgb,
    Ycc,
    Cmyk,
    Ycck,
}

pub struct Component {
    id: u8,
    pub across: usize, // blocks of a unit
    pub down: usize,
    quant: usize,
    used: Option<[u16; 64]>, // the table when it came first
    pub columns: usize,      // blocks in memory, those of whole units
    pub wide: usize,         // blocks that the image needs
    pub high: usize,
    pub blocks: Vec<[i16; 64]>,
    samples: Vec<u8>, // of one row of units
}

/// Reads an image. All of it is checked and in memory then, as coefficients.
pub fn decode(data: &[u8]) -> Result<Jpeg> {
    let mut jpeg = Jpeg {
        width: 0,
        height: 0,
        progressive: false,
        components: vec![],
        across: 1,
        down: 1,
        tables: Default::default(),
        interval: 0,
        adobe: None,
        orientation: 1,
        colors: Colors::Grey,
        strip: 0,
    };
    let (mut at, mut scans) = (2, 0);
    loop {
        let marker = next_marker(data, &mut at)?;
        if marker == 0xd9 {
            break;
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            continue; // it has no body
        }
        let size = be16(data, at).filter(|n| *n >= 2).ok_or(CUT)?;
        let body = data.get(at + 2..at + size).ok_or(CUT)?;
        at += size;
        jpeg.part(marker, body)?;
        if marker == 0xda {
            scans += 1;
            let scan = jpeg.scan_of(body)?;
            at = scan::read(&mut jpeg, scan, data, at)?;
        }
        if scans > MAX_SCANS {
            return Err("it has too many scans");
        }
    }
    if scans == 0 || jpeg.components.iter().any(|c| c.used.is_none()) {
        return Err("some of its colours are missing");
    }
    jpeg.colors = jpeg.colors_of()?;
    Ok(jpeg)
}

/// Goes on to a marker and beyond it.
fn next_marker(data: &[u8], at: &mut usize) -> Result<u8> {
    loop {
        match (data.get(*at), data.get(*at + 1)) {
            (Some(0xff), Some(m)) if *m != 0 && *m != 0xff => {
                *at += 2;
                return Ok(*m);
            }
            (Some(_), Some(_)) => *at += 1,
            _ => return Err(CUT),
        }
    }
}

impl Jpeg {
    fn part(&mut self, marker: u8, body: &[u8]) -> Result<()> {
        match marker {
            0xc0..=0xc2 => self.frame(marker == 0xc2, body),
            0xc4 => self.tables.huffman(body),
            0xc3 | 0xc5..=0xcf => Err("it is of a kind other than baseline and progressive"),
            0xdb => self.tables.quantization(body),
            0xdd => {
                self.interval = be16(body, 0).ok_or(CUT)?;
                Ok(())
            }
            0xe1 => {
                self.orientation = exif::orientation(body).unwrap_or(self.orientation);
                Ok(())
            }
            0xee if body.starts_with(b"Adobe") => {
                self.adobe = body.get(11).copied();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn frame(&mut self, progressive: bool, body: &[u8]) -> Result<()> {
        const BAD: &str = "its header is damaged";
        if !self.components.is_empty() {
            return Err("it has two headers");
        }
        let (height, width) = (be16(body, 1).ok_or(BAD)?, be16(body, 3).ok_or(BAD)?);
        if body[0] != 8 {
            return Err("its samples have other than eight bits");
        }
        check_size(width, height)?;
        let n = *body.get(5).ok_or(BAD)? as usize;
        if body.len() != 6 + 3 * n {
            return Err(BAD);
        }
        if !matches!(n, 1 | 3 | 4) {
            return Err("it has other than 1, 3 or 4 colours");
        }
        let factors = body[6..]
            .chunks_exact(3)
            .map(|c| match (n, (c[1] >> 4) as usize, (c[1] & 15) as usize) {
                (1, _, _) => Ok((1, 1)), // of one component, blocks come one by one
                (_, h @ 1..=4, v @ 1..=4) => Ok((h, v)),
                _ => Err(BAD),
            })
            .collect::<Result<Vec<_>>>()?;
        self.across = factors.iter().map(|f| f.0).max().unwrap_or(1);
        self.down = factors.iter().map(|f| f.1).max().unwrap_or(1);
        (self.width, self.height, self.progressive) = (width, height, progressive);
        for (c, (across, down)) in body[6..].chunks_exact(3).zip(factors) {
            self.component(c[0], c[2] as usize, across, down)?;
        }
        Ok(())
    }

    /// The image in units: the blocks of all components that cover the same pixels.
    pub fn units(&self) -> (usize, usize) {
        (
            div(self.width, 8 * self.across),
            div(self.height, 8 * self.down),
        )
    }

    fn component(&mut self, id: u8, quant: usize, across: usize, down: usize) -> Result<()> {
        let (units, rows) = self.units();
        let columns = units * across;
        let mut blocks = Vec::new();
        blocks
            .try_reserve_exact(columns * rows * down)
            .map_err(|_| "it needs too much memory")?;
        blocks.resize(columns * rows * down, [0; 64]);
        self.components.push(Component {
            id,
            across,
            down,
            quant,
            used: None,
            columns,
            wide: div(div(self.width * across, self.across), 8),
            high: div(div(self.height * down, self.down), 8),
            blocks,
            samples: vec![0; columns * down * 64],
        });
        Ok(())
    }

    /// Reads the head of a scan.
    fn scan_of(&mut self, body: &[u8]) -> Result<Scan> {
        const BAD: &str = "the head of a scan is damaged";
        let n = *body.first().ok_or(BAD)? as usize;
        if !(1..=4).contains(&n) || body.len() != 4 + 2 * n {
            return Err(BAD);
        }
        let mut scan = Scan::new(self.progressive, n, &body[1 + 2 * n..]).ok_or(BAD)?;
        for c in body[1..1 + 2 * n].chunks_exact(2) {
            let i = self
                .components
                .iter()
                .position(|known| known.id == c[0])
                .ok_or(BAD)?;
            if scan.parts.iter().any(|p| p.component == i) {
                return Err(BAD);
            }
            let component = &mut self.components[i];
            if component.used.is_none() {
                component.used = Some(self.tables.quant(component.quant)?);
            }
            scan.parts.push(scan::Part {
                component: i,
                dc: (c[1] >> 4) as usize,
                ac: (c[1] & 15) as usize,
            });
        }
        Ok(scan)
    }

    pub fn interval(&self) -> usize {
        self.interval
    }

    /// Makes samples of the blocks of a row of units.
    fn strip_of(&mut self, row: usize) {
        for c in &mut self.components {
            let (quant, stride) = (c.used.unwrap_or([0; 64]), 8 * c.columns);
            for (i, coefficients) in c.blocks[row * c.down * c.columns..][..c.down * c.columns]
                .iter()
                .enumerate()
            {
                block(
                    coefficients,
                    &quant,
                    &mut c.samples[i / c.columns * 8 * stride + i % c.columns * 8..],
                    stride,
                );
            }
        }
    }

    fn colors_of(&self) -> Result<Colors> {
        let ids = self.components.iter().map(|c| c.id);
        Ok(match (self.components.len(), self.adobe) {
            (1, _) => Colors::Grey,
            (3, Some(0)) => Colors::Rgb,
            (3, None) if ids.eq(*b"RGB") => Colors::Rgb,
            (3, _) => Colors::Ycc,
            (_, Some(0)) => Colors::Cmyk,
            (_, Some(2)) => Colors::Ycck,
            _ => return Err("it has four colours, and Adobe's marker does not say which"),
        })
    }

    /// Returns red, green and blue of samples. Those of four inks, as Adobe has them, are
    /// how much of the ink is not there.
    fn color(&self, s: [u8; 4]) -> [u8; 3] {
        let inked = |v: u8| ((v as u32 * s[3] as u32 + 127) / 255) as u8;
        match self.colors {
            Colors::Grey => [s[0]; 3],
            Colors::Rgb => [s[0], s[1], s[2]],
            Colors::Ycc => ycc(s),
            Colors::Cmyk => [s[0], s[1], s[2]].map(inked),
            Colors::Ycck => ycc(s).map(|v| inked(255 - v)),
        }
    }
}

fn div(a: usize, b: usize) -> usize {
    (a + b - 1) / b
}

/// Returns red, green and blue of luminance and two of chrominance, by JFIF.
fn ycc(s: [u8; 4]) -> [u8; 3] {
    let (y, cb, cr) = ((s[0] as i32) << 16, s[1] as i32 - 128, s[2] as i32 - 128);
    [y + 91881 * cr, y - 22554 * cb - 46802 * cr, y + 116130 * cb]
        .map(|v| ((v + (1 << 15)) >> 16).clamp(0, 255) as u8)
}

impl Rows for Jpeg {
    fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    fn row(&mut self, y: usize, rgba: &mut [u8]) {
        let strip = y / (8 * self.down);
        if self.strip != strip + 1 {
            self.strip_of(strip);
            self.strip = strip + 1;
        }
        let inside = y % (8 * self.down);
        for (x, pixel) in rgba.chunks_exact_mut(4).enumerate() {
            let mut s = [0; 4];
            for (sample, c) in s.iter_mut().zip(&self.components) {
                *sample = c.samples
                    [inside * c.down / self.down * 8 * c.columns + x * c.across / self.across];
            }
            pixel[..3].copy_from_slice(&self.color(s));
            pixel[3] = 255;
        }
    }
}
