//! The inverse discrete cosine transform of JPEG.

/// Where the coefficients of a block stand, in the order in which they come.
pub const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Half the cosines of 1 to 7 sixteenths of π, in units of 2 to the power of −14.
const C: [i64; 8] = [0, 8035, 7568, 6811, 5793, 4551, 3135, 1598];
const UNIT: u32 = 14;

/// Makes the samples of a block of coefficients.
pub fn block(coefficients: &[i16; 64], quant: &[u16; 64], to: &mut [u8], stride: usize) {
    let mut v = [0; 64];
    for i in 0..64 {
        v[i] = coefficients[i] as i64 * quant[i] as i64;
    }
    for x in 0..8 {
        line(&mut v, x, 8);
    }
    for y in 0..8 {
        line(&mut v, 8 * y, 1);
        for x in 0..8 {
            let half = 1 << (2 * UNIT - 1);
            to[y * stride + x] = (((v[8 * y + x] + half) >> (2 * UNIT)) + 128).clamp(0, 255) as u8;
        }
    }
}

/// Transforms eight numbers, which become larger by 2 to the power of UNIT. Even ones
/// and odd ones are mirrored, and so only half of the sums are needed.
fn line(v: &mut [i64; 64], at: usize, step: usize) {
    let s = |i: usize| v[at + i * step];
    if (1..8).all(|i| s(i) == 0) {
        let all = s(0) * C[4];
        (0..8).for_each(|i| v[at + i * step] = all);
        return;
    }
    let (a, b) = ((s(0) + s(4)) * C[4], (s(0) - s(4)) * C[4]);
    let (c, d) = (s(2) * C[2] + s(6) * C[6], s(2) * C[6] - s(6) * C[2]);
    let even = [a + c, b + d, b - d, a - c];
    let odd = [
        s(1) * C[1] + s(3) * C[3] + s(5) * C[5] + s(7) * C[7],
        s(1) * C[3] - s(3) * C[7] - s(5) * C[1] - s(7) * C[5],
        s(1) * C[5] - s(3) * C[1] + s(5) * C[7] + s(7) * C[3],
        s(1) * C[7] - s(3) * C[5] + s(5) * C[3] - s(7) * C[1],
    ];
    for i in 0..4 {
        v[at + i * step] = even[i] + odd[i];
        v[at + (7 - i) * step] = even[i] - odd[i];
    }
}
