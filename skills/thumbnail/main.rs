//! Makes a smaller PNG of a PNG or a JPEG.
mod deflate;
mod encode;
mod exif;
#[path = "../sdk/rust/hive.rs"]
mod hive;
mod huffman;
mod idct;
mod inflate;
mod jpeg;
mod picture;
mod png;
mod scan;
mod tables;

use picture::{shrink, Picture};

hive::skill!(run);

const SIZE: usize = 256; // pixels of the longer side, unless a payload says otherwise
const LARGEST: usize = 1024;
const ROOM: usize = 1 << 20; // bytes that a result may have

fn run(input: &[u8]) -> Result<Vec<u8>, hive::Failure> {
    thumbnail(input).map_err(hive::Failure::permanent)
}

fn thumbnail(input: &[u8]) -> Result<Vec<u8>, String> {
    let (size, image) = options(input)?;
    let small = encode::encode(&picture(image, size)?);
    if small.len() > ROOM {
        return Err(format!(
            "the thumbnail has {} bytes, more than 1 MiB: ask for a smaller size",
            small.len()
        ));
    }
    Ok(small)
}

fn picture(image: &[u8], size: usize) -> Result<Picture, String> {
    if image.starts_with(png::MAGIC) {
        let mut image = png::decode(image).map_err(|why| format!("PNG: {}", why))?;
        Ok(shrink(&mut image, size))
    } else if image.starts_with(b"\xff\xd8\xff") {
        let mut image = jpeg::decode(image).map_err(|why| format!("JPEG: {}", why))?;
        Ok(shrink(&mut image, size).turned(image.orientation))
    } else {
        Err("the payload is neither PNG nor JPEG".to_string())
    }
}

/// Takes the line that a payload may begin with, {"size":128}, from the image behind it.
fn options(input: &[u8]) -> Result<(usize, &[u8]), String> {
    if input.first() != Some(&b'{') {
        return Ok((SIZE, input));
    }
    let end = input
        .iter()
        .take(1000)
        .position(|c| *c == b'\n')
        .ok_or("no line ends behind the options")?;
    let words: Vec<u8> = input[..end]
        .iter()
        .copied()
        .filter(|c| !c.is_ascii_whitespace())
        .collect();
    let number = words
        .strip_prefix(b"{\"size\":")
        .and_then(|w| w.strip_suffix(b"}"))
        .and_then(|w| std::str::from_utf8(w).ok());
    match number.and_then(|n| n.parse().ok()) {
        Some(size @ 1..=LARGEST) => Ok((size, &input[end + 1..])),
        _ => Err(format!(
            "options: want {{\"size\":N}}, N from 1 to {}",
            LARGEST
        )),
    }
}
