//! Writes a picture as PNG, as small as it gets without looking for long.
use crate::deflate::deflate;
use crate::picture::Picture;
use crate::png::{crc32, predict, MAGIC};

/// Writes a picture. What it does not need is left out: alpha, and colours.
pub fn encode(p: &Picture) -> Vec<u8> {
    let opaque = p.rgba.chunks_exact(4).all(|p| p[3] == 255);
    let grey = p.rgba.chunks_exact(4).all(|p| p[0] == p[1] && p[1] == p[2]);
    let (kind, channels): (u8, &[usize]) = match (grey, opaque) {
        (true, true) => (0, &[0]),
        (true, false) => (4, &[0, 3]),
        (false, true) => (2, &[0, 1, 2]),
        (false, false) => (6, &[0, 1, 2, 3]),
    };
    let samples: Vec<u8> = p
        .rgba
        .chunks_exact(4)
        .flat_map(|p| channels.iter().map(move |c| p[*c]))
        .collect();
    let mut header = Vec::new();
    header.extend_from_slice(&(p.width as u32).to_be_bytes());
    header.extend_from_slice(&(p.height as u32).to_be_bytes());
    header.extend_from_slice(&[8, kind, 0, 0, 0]);
    let mut out = MAGIC.to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(
        &mut out,
        b"IDAT",
        &deflate(&filtered(
            &samples,
            p.width * channels.len(),
            channels.len(),
        )),
    );
    chunk(&mut out, b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, name: &[u8], body: &[u8]) {
    out.extend_from_slice(&(body.len() as u32).to_be_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(body);
    out.extend_from_slice(&crc32(&[name, body]).to_be_bytes());
}

/// Filters each row in the way that leaves the smallest differences.
fn filtered(samples: &[u8], stride: usize, back: usize) -> Vec<u8> {
    let zeros = vec![0; stride];
    let mut above = &zeros[..];
    let mut out = Vec::with_capacity(samples.len() + samples.len() / stride);
    for row in samples.chunks_exact(stride) {
        let rows = (0..5).map(|filter| {
            let mut line = vec![filter];
            line.extend((0..stride).map(|i| {
                let (left, corner) = if i >= back {
                    (row[i - back], above[i - back])
                } else {
                    (0, 0)
                };
                row[i].wrapping_sub(predict(filter, left, above[i], corner))
            }));
            line
        });
        let size = |line: &Vec<u8>| {
            line[1..]
                .iter()
                .map(|b| (*b as i8).unsigned_abs() as u32)
                .sum::<u32>()
        };
        out.extend(rows.min_by_key(size).unwrap_or_default());
        above = row;
    }
    out
}
