//! The one thing of Exif that a picture needs.

/// Returns how a camera was held, if Exif says so.
pub fn orientation(body: &[u8]) -> Option<u8> {
    let tiff = body.strip_prefix(b"Exif\0\0")?;
    let little = tiff.starts_with(b"II");
    let u16_at = |at: usize| {
        let b = [*tiff.get(at)?, *tiff.get(at.checked_add(1)?)?];
        Some(if little {
            u16::from_le_bytes(b)
        } else {
            u16::from_be_bytes(b)
        } as usize)
    };
    let (low, high) = if little { (4, 6) } else { (6, 4) };
    let directory = u16_at(low)? + (u16_at(high)? << 16);
    let entries = u16_at(directory)?;
    let at = (0..entries)
        .map(|i| directory + 2 + 12 * i)
        .find(|at| u16_at(*at) == Some(0x0112))?;
    u16_at(at + 8)
        .map(|v| v as u8)
        .filter(|v| (1..=8).contains(v))
}
