//! The tables of a JPEG: what coefficients are multiplied with, and their codes.
use crate::huffman::{First, Table};
use crate::idct::ZIGZAG;

type Result<T> = std::result::Result<T, &'static str>;

/// The tables in force, each of them one of four.
#[derive(Default)]
pub struct Tables {
    quants: [Option<[u16; 64]>; 4],
    codes: [[Option<Table>; 4]; 2], // of DC and of AC
}

impl Tables {
    /// Takes what stands in a part of the file.
    pub fn quantization(&mut self, mut body: &[u8]) -> Result<()> {
        while let [head, rest @ ..] = body {
            let (wide, i) = ((head >> 4) as usize, (head & 15) as usize);
            let size = 64 * (1 + wide);
            if wide > 1 || i > 3 || rest.len() < size {
                return Err("a table of it is damaged");
            }
            let mut table = [0; 64];
            for (k, z) in ZIGZAG.iter().enumerate() {
                table[*z] = if wide == 1 {
                    be16(rest, 2 * k).unwrap_or(0) as u16
                } else {
                    rest[k] as u16
                };
            }
            self.quants[i] = Some(table);
            body = &rest[size..];
        }
        Ok(())
    }

    pub fn huffman(&mut self, mut body: &[u8]) -> Result<()> {
        const BAD: &str = "a code of it is damaged";
        while !body.is_empty() {
            let (class, i) = ((body[0] >> 4) as usize, (body[0] & 15) as usize);
            let counts = body.get(1..17).ok_or(BAD)?;
            let n = counts.iter().map(|c| *c as usize).sum();
            let mut symbols = body
                .get(17..)
                .and_then(|rest| rest.get(..n))
                .ok_or(BAD)?
                .iter();
            let codes: Vec<(u16, u32)> = (1..=16)
                .flat_map(|length| (0..counts[length - 1]).map(move |_| length as u32))
                .filter_map(|length| Some((*symbols.next()? as u16, length)))
                .collect();
            let table = Table::new(&codes, First::Most).ok_or(BAD)?;
            *self
                .codes
                .get_mut(class)
                .and_then(|t| t.get_mut(i))
                .ok_or(BAD)? = Some(table);
            body = &body[17 + n..];
        }
        Ok(())
    }

    pub fn quant(&self, i: usize) -> Result<[u16; 64]> {
        let table = self.quants.get(i).copied().flatten();
        table.ok_or("a table of it is missing")
    }

    pub fn code(&self, class: usize, i: usize) -> Result<&Table> {
        let code = self.codes[class].get(i).and_then(|t| t.as_ref());
        code.ok_or("a code of it is missing")
    }
}

/// Returns the number that two bytes are.
pub fn be16(data: &[u8], at: usize) -> Option<usize> {
    Some(*data.get(at)? as usize * 256 + *data.get(at + 1)? as usize)
}
