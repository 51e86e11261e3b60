// Decimal numbers to the nearest f64 and back. parseFloat of AssemblyScript is off
// by powers of ten between 1e38 and 1e53.

const MAX_DIGITS = 800; // more cannot matter, but that there are some
const MAX_EXPONENT = 10_000_000; // more than a payload has digits

// 10 to the power of 0 to 22 is exact.
const powers: StaticArray<f64> = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
  1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

export function isDigit(c: u8): bool {
  return c >= 48 && c <= 57;
}

// parse returns the number that bytes from a to b are: a sign, digits with a point
// among them or not, and an exponent or not. It is NaN if they are none, and
// infinite if it is too large.
export function parse(data: Uint8Array, a: i32, b: i32): f64 {
  let at = a;
  const negative = at < b && data[at] == 45; // -
  if (at < b && (negative || data[at] == 43)) at++; // +
  const digits = at;
  let point = -1, count = 0;
  for (; at < b && (isDigit(data[at]) || (data[at] == 46 && point < 0)); at++) {
    if (data[at] == 46) point = at;
    else count++;
  }
  if (count == 0) return NaN;
  const end = at;
  let exponent = 0;
  if (at < b && (data[at] | 32) == 101) { // e
    const down = at + 1 < b && data[at + 1] == 45;
    at += at + 1 < b && (down || data[at + 1] == 43) ? 2 : 1;
    if (at == b) return NaN;
    for (; at < b && isDigit(data[at]); at++) exponent = min(exponent * 10 + (data[at] - 48), MAX_EXPONENT);
    if (down) exponent = -exponent;
  }
  if (at != b) return NaN;
  const size = decimal(data, digits, end, point, exponent);
  return negative ? -size : size;
}

// decimal returns digits, with a point among them or not, times a power of ten.
function decimal(data: Uint8Array, a: i32, b: i32, point: i32, exponent: i32): f64 {
  if (point >= 0) exponent -= b - point - 1;
  while (a < b && (data[a] == 48 || a == point)) a++; // zeros in front
  let small: u64 = 0, count = 0;
  for (let at = a; at < b && count <= 19; at++) {
    if (at == point) continue;
    small = small * 10 + (data[at] - 48);
    count++;
  }
  if (count == 0) return 0;
  if (count <= 15 && exponent >= 0 && exponent <= 22) return <f64>small * powers[exponent];
  if (count <= 15 && exponent < 0 && exponent >= -22) return <f64>small / powers[-exponent];
  if (count <= 19 && exponent >= -MOST && exponent <= MOST) {
    const near = nearby(small, exponent);
    if (!isNaN(near)) return near;
  }
  return exactly(data, a, b, point, exponent);
}

const MOST = 340; // beyond, nothing of 19 digits is neither 0 nor infinite

// The first 64 bits of powers of ten, and the powers of two that go with them.
const bits: StaticArray<u64> = new StaticArray<u64>(2 * MOST + 1);
const shifts: StaticArray<i32> = new StaticArray<i32>(2 * MOST + 1);

// nearby returns small times a power of ten, or NaN if 64 bits of that power are too
// few to tell which f64 is the nearest.
function nearby(small: u64, exponent: i32): f64 {
  const i = exponent + MOST;
  if (bits[i] == 0) {
    big.clear();
    big.take(1, 1);
    divide(exponent);
    bits[i] = quotient;
    shifts[i] = shift;
  }
  const left = <i32>clz(small), x = small << left, y = bits[i];
  const high = (x >> 32) * (y >> 32), middle = (x >> 32) * (y & 0xffffffff), other = (x & 0xffffffff) * (y >> 32);
  const low = ((x & 0xffffffff) * (y & 0xffffffff) >> 32) + (middle & 0xffffffff) + (other & 0xffffffff);
  const product = high + (middle >> 32) + (other >> 32) + (low >> 32); // the upper half, cut off
  // What is cut off of it and of the power are less than 2.
  const least = rounded(product, false, 64 - left - shifts[i]), most = rounded(product + 2, true, 64 - left - shifts[i]);
  return least == most ? least : NaN;
}

// exactly is decimal for any digits.
function exactly(data: Uint8Array, a: i32, b: i32, point: i32, exponent: i32): f64 {
  let count = 0;
  big.clear();
  let rest = false;
  for (let at = a; at < b; at++) {
    if (at == point) continue;
    if (count == MAX_DIGITS) { // the others are as good as a 1
      rest = rest || data[at] != 48;
      exponent++;
      continue;
    }
    big.take(10, data[at] - 48);
    count++;
  }
  if (rest) {
    big.take(10, 1);
    exponent--;
  }
  if (exponent + count > 310) return Infinity;
  if (exponent + count < -325) return 0;
  divide(exponent);
  return rounded(quotient, !big.isZero, -shift);
}

// What divide answers, beside what is left in big.
let quotient: u64 = 0, shift: i32 = 0;

// divide makes 63 or 64 bits of big times a power of ten: quotient is that, times two
// to the power of shift, without what is less than 1.
function divide(exponent: i32): void {
  under.clear();
  under.take(1, 1);
  for (let n = abs(exponent); n > 0; n -= 9) {
    const factor = <u32>powers[min(n, 9)];
    if (exponent > 0) big.take(factor, 0);
    else under.take(factor, 0);
  }
  shift = 63 - (big.bits - under.bits);
  if (shift > 0) big.shift(shift);
  else under.shift(-shift);
  quotient = 0;
  under.shift(64);
  for (let i = 0; i < 65; i++) { // the first bit may be that of 64, which is never set
    quotient <<= 1;
    if (big.subtract(under)) quotient |= 1;
    big.shift(1);
  }
}

// rounded returns the f64 nearest to quotient, or a little more if rest, times a
// power of two. Of two that are as near it is the even one.
function rounded(quotient: u64, rest: bool, exponent: i32): f64 {
  let drop = max(11 - <i32>clz(quotient), 1); // bits that 53 have no room for
  drop = max(drop, -1074 - exponent); // or that are below the smallest number
  if (drop > 64) return 0;
  let kept = drop == 64 ? 0 : quotient >> drop;
  const lost = drop == 64 ? quotient : quotient & ((<u64>1 << drop) - 1), half = <u64>1 << (drop - 1);
  if (lost > half || (lost == half && (rest || (kept & 1) == 1))) kept++;
  exponent += drop;
  if (exponent > 1023) return Infinity;
  return <f64>kept * power2(exponent >> 1) * power2(exponent - (exponent >> 1));
}

// power2 returns 2 to the power of n, from -1022 to 1023.
export function power2(n: i32): f64 {
  return reinterpret<f64>((<u64>(n + 1023)) << 52);
}

// Big is a whole number of any size that parse needs: 800 digits times 10 to the
// power of 310, or their like shifted by 64.
class Big {
  private limbs: StaticArray<u32> = new StaticArray<u32>(160); // least significant first
  private used: i32 = 0;

  clear(): void {
    this.used = 0;
  }

  // take multiplies by factor and adds.
  take(factor: u32, add: u32): void {
    let carry: u64 = add;
    for (let i = 0; i < this.used; i++) {
      carry += <u64>this.limbs[i] * factor;
      this.limbs[i] = <u32>carry;
      carry >>= 32;
    }
    if (carry > 0) this.limbs[this.used++] = <u32>carry;
  }

  // bits is how many a number other than 0 has.
  get bits(): i32 {
    return this.used * 32 - <i32>clz(this.limbs[this.used - 1]);
  }

  get isZero(): bool {
    return this.used == 0;
  }

  // shift multiplies by 2 to the power of n.
  shift(n: i32): void {
    const whole = n >> 5, part = n & 31;
    if (this.used == 0) return;
    let carry: u64 = 0;
    for (let i = 0; i < this.used; i++) {
      carry |= <u64>this.limbs[i] << part;
      this.limbs[i] = <u32>carry;
      carry >>= 32;
    }
    if (carry > 0) this.limbs[this.used++] = <u32>carry;
    if (whole == 0) return;
    for (let i = this.used - 1; i >= 0; i--) this.limbs[i + whole] = this.limbs[i];
    for (let i = 0; i < whole; i++) this.limbs[i] = 0;
    this.used += whole;
  }

  // subtract takes b away if it is not more, and tells whether it did.
  subtract(b: Big): bool {
    if (this.used < b.used) return false;
    if (this.used == b.used)
      for (let i = this.used - 1; i >= 0; i--) {
        if (this.limbs[i] > b.limbs[i]) break;
        if (this.limbs[i] < b.limbs[i]) return false;
      }
    let borrow: i64 = 0;
    for (let i = 0; i < this.used; i++) {
      borrow += <i64>this.limbs[i] - (i < b.used ? <i64>b.limbs[i] : 0);
      this.limbs[i] = <u32>borrow;
      borrow >>= 32;
    }
    while (this.used > 0 && this.limbs[this.used - 1] == 0) this.used--;
    return true;
  }
}

// What is divided and by what. Memory is never freed, so there are only two.
const big = new Big(), under = new Big();

// format writes a number as JSON has it.
export function format(x: f64): string {
  const text = x.toString();
  return text.endsWith(".0") ? text.slice(0, -2) : text;
}
