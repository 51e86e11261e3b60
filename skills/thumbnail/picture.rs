//! Pictures, and how they get smaller: each pixel is the mean of those it covers, of
//! light as it is and not as sRGB has it, and of as much of it as is not transparent.

/// An image that is larger than what is made of it, read row by row from the top.
pub trait Rows {
    fn size(&self) -> (usize, usize);
    /// Writes a row's red, green, blue and alpha.
    fn row(&mut self, y: usize, rgba: &mut [u8]);
}

/// The most pixels an image may have: 25 megapixels, of which a JPEG needs up to eight
/// bytes each, and so does a PNG.
const MAX_PIXELS: usize = 25_000_000;

/// Tells whether an image of this size may be looked at. It is asked before any of its
/// pixels have a place in memory.
pub fn check_size(width: usize, height: usize) -> Result<(), &'static str> {
    match width.checked_mul(height) {
        Some(0) => Err("it has no pixels"),
        _ if width.max(height) > 65_535 => Err("a side of it has more than 65,535 pixels"),
        Some(n) if n <= MAX_PIXELS => Ok(()),
        _ => Err("it has more than 25 megapixels"),
    }
}

pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgba: Vec<u8>,
}

/// Makes an image fit into a square. One that does fit stays as it is.
pub fn shrink(image: &mut dyn Rows, size: usize) -> Picture {
    let (w, h) = image.size();
    let (width, height) = fit(w, h, size);
    let mut rgba = Vec::with_capacity(4 * width * height);
    let mut source = vec![0; 4 * w];
    // Of a row of the picture: the sums so far, and of the row of the image in hand.
    let (mut sums, mut across) = (vec![[0; 4]; width], vec![[0; 4]; width]);
    let mut covered = 0; // of a row of the picture, which is h high as a row of the image is height
    for y in 0..h {
        image.row(y, &mut source);
        squeeze(&source, &mut across, w);
        let mut left = height;
        while left > 0 {
            let part = left.min(h - covered);
            for (sum, a) in sums.iter_mut().zip(&across) {
                (0..4).for_each(|c| sum[c] += a[c] * part as u64);
            }
            left -= part;
            covered += part;
            if covered == h {
                rgba.extend(sums.iter().flat_map(|s| mean(s, (w * h) as u64)));
                sums.fill([0; 4]);
                covered = 0;
            }
        }
    }
    Picture {
        width,
        height,
        rgba,
    }
}

impl Picture {
    /// Turns a picture as Exif says that a camera was held, from 1 to 8.
    pub fn turned(self, orientation: u8) -> Picture {
        let (w, h) = (self.width, self.height);
        let (width, height) = if orientation > 4 { (h, w) } else { (w, h) };
        let mut rgba = Vec::with_capacity(self.rgba.len());
        for y in 0..height {
            for x in 0..width {
                let (sx, sy) = match orientation {
                    2 => (w - 1 - x, y),
                    3 => (w - 1 - x, h - 1 - y),
                    4 => (x, h - 1 - y),
                    5 => (y, x),
                    6 => (y, h - 1 - x),
                    7 => (w - 1 - y, h - 1 - x),
                    8 => (w - 1 - y, x),
                    _ => (x, y),
                };
                rgba.extend_from_slice(&self.rgba[4 * (sy * w + sx)..][..4]);
            }
        }
        Picture {
            width,
            height,
            rgba,
        }
    }
}

/// Returns the size of w by h that fits into a square and looks the same.
fn fit(w: usize, h: usize, size: usize) -> (usize, usize) {
    let most = w.max(h);
    if most <= size {
        return (w, h);
    }
    let scaled =
        |n: usize| ((n as u64 * size as u64 + most as u64 / 2) / most as u64).max(1) as usize;
    (scaled(w), scaled(h))
}

/// Sums up the pixels of a row of w that each pixel of a narrower one covers.
fn squeeze(source: &[u8], to: &mut [[u64; 4]], w: usize) {
    let width = to.len();
    to.fill([0; 4]);
    let (mut x, mut covered) = (0, 0);
    for p in source.chunks_exact(4) {
        let alpha = p[3] as u64;
        let light = [
            LIGHT[p[0] as usize] as u64 * alpha,
            LIGHT[p[1] as usize] as u64 * alpha,
            LIGHT[p[2] as usize] as u64 * alpha,
            alpha,
        ];
        let mut left = width;
        while left > 0 {
            let part = left.min(w - covered);
            (0..4).for_each(|c| to[x][c] += light[c] * part as u64);
            left -= part;
            covered += part;
            if covered == w {
                x += 1;
                covered = 0;
            }
        }
    }
}

/// Returns the pixel whose sums are these, over an area.
fn mean(sums: &[u64; 4], area: u64) -> [u8; 4] {
    let alpha = sums[3];
    if alpha == 0 {
        return [0; 4];
    }
    let color = |sum: u64| srgb(((sum + alpha / 2) / alpha) as u16);
    [
        color(sums[0]),
        color(sums[1]),
        color(sums[2]),
        ((alpha + area / 2) / area) as u8,
    ]
}

/// Returns the byte whose light is the nearest.
fn srgb(light: u16) -> u8 {
    let above = LIGHT.partition_point(|l| *l < light).min(255);
    let below = above.saturating_sub(1);
    if light - LIGHT[below].min(light) < LIGHT[above] - light.min(LIGHT[above]) {
        below as u8
    } else {
        above as u8
    }
}

/// The light of each byte of sRGB, by IEC 61966-2-1.
const LIGHT: [u16; 256] = [
    0, 20, 40, 60, 80, 99, 119, 139, 159, 179, 199, 219, 241, 264, 288, 313, 340, 367, 396, 427,
    458, 491, 526, 562, 599, 637, 677, 718, 761, 805, 851, 898, 947, 997, 1048, 1101, 1156, 1212,
    1270, 1330, 1391, 1453, 1517, 1583, 1651, 1720, 1790, 1863, 1937, 2013, 2090, 2170, 2250, 2333,
    2418, 2504, 2592, 2681, 2773, 2866, 2961, 3058, 3157, 3258, 3360, 3464, 3570, 3678, 3788, 3900,
    4014, 4129, 4247, 4366, 4488, 4611, 4736, 4864, 4993, 5124, 5257, 5392, 5530, 5669, 5810, 5953,
    6099, 6246, 6395, 6547, 6700, 6856, 7014, 7174, 7335, 7500, 7666, 7834, 8004, 8177, 8352, 8528,
    8708, 8889, 9072, 9258, 9445, 9635, 9828, 10022, 10219, 10417, 10619, 10822, 11028, 11235,
    11446, 11658, 11873, 12090, 12309, 12530, 12754, 12980, 13209, 13440, 13673, 13909, 14146,
    14387, 14629, 14874, 15122, 15371, 15623, 15878, 16135, 16394, 16656, 16920, 17187, 17456,
    17727, 18001, 18277, 18556, 18837, 19121, 19407, 19696, 19987, 20281, 20577, 20876, 21177,
    21481, 21787, 22096, 22407, 22721, 23038, 23357, 23678, 24002, 24329, 24658, 24990, 25325,
    25662, 26001, 26344, 26688, 27036, 27386, 27739, 28094, 28452, 28813, 29176, 29542, 29911,
    30282, 30656, 31033, 31412, 31794, 32179, 32567, 32957, 33350, 33745, 34143, 34544, 34948,
    35355, 35764, 36176, 36591, 37008, 37429, 37852, 38278, 38706, 39138, 39572, 40009, 40449,
    40891, 41337, 41785, 42236, 42690, 43147, 43606, 44069, 44534, 45002, 45473, 45947, 46423,
    46903, 47385, 47871, 48359, 48850, 49344, 49841, 50341, 50844, 51349, 51858, 52369, 52884,
    53401, 53921, 54445, 54971, 55500, 56032, 56567, 57105, 57646, 58190, 58737, 59287, 59840,
    60396, 60955, 61517, 62082, 62650, 63221, 63795, 64372, 64952, 65535,
];
