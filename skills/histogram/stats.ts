// What numbers have in common, careful where sums and squares would be too large
// or too small for an f64.
import { format, power2 } from "./number";
import { Request } from "./request";

const QUANTILES: StaticArray<i32> = [1, 5, 25, 50, 75, 95, 99]; // percent

// answer writes the result; see output.schema.json.
export function answer(r: Request): string {
  const sorted = Float64Array.wrap(changetype<ArrayBuffer>(r.values), 0, r.count).sort();
  const least = quantile(sorted, 0), most = quantile(sorted, 1);
  const scale = scaleOf(max(Math.abs(least), Math.abs(most)));
  const mean = meanOf(sorted, scale), deviation = deviationOf(sorted, scale, mean);
  let json = `{"count":${r.count},"missing":${r.missing},"min":${number(least)},"max":${number(most)},"mean":${number(mean / scale)},` +
    `"stddev":${number(deviation / scale)},"quantiles":{`;
  for (let i = 0; i < QUANTILES.length; i++) {
    json += (i > 0 ? "," : "") + `"p${QUANTILES[i]}":` + number(quantile(sorted, <f64>QUANTILES[i] / 100));
  }
  return json + "}," + histogram(sorted, r) + "}\n";
}

// number writes NaN, of no values, as null.
function number(x: f64): string {
  return isFinite(x) ? format(x) : "null";
}

// scaleOf returns the power of two that makes numbers up to most neither large nor
// small, as far as there is one.
function scaleOf(most: f64): f64 {
  const exponent = <i32>(reinterpret<u64>(most) >> 52) - 1023;
  return power2(min(max(-exponent, -1000), 1000));
}

// meanOf returns the mean of scaled values. What additions lose is added in the end
// (Neumaier).
function meanOf(values: Float64Array, scale: f64): f64 {
  let sum = 0.0, lost = 0.0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i] * scale, next = sum + x;
    lost += Math.abs(sum) >= Math.abs(x) ? sum - next + x : x - next + sum;
    sum = next;
  }
  return (sum + lost) / <f64>values.length;
}

// deviationOf returns the standard deviation of scaled values as of a sample, which
// one value has none of.
function deviationOf(values: Float64Array, scale: f64, mean: f64): f64 {
  let squares = 0.0, off = 0.0; // off: what the mean, which is rounded, is not
  for (let i = 0; i < values.length; i++) {
    const x = values[i] * scale - mean;
    squares += x * x;
    off += x;
  }
  squares = max(squares - off * off / <f64>values.length, 0);
  return values.length < 2 ? NaN : Math.sqrt(squares / <f64>(values.length - 1));
}

// quantile returns the value that a share of sorted values is below, between two
// values in proportion; NaN if there are none.
function quantile(sorted: Float64Array, share: f64): f64 {
  if (sorted.length == 0) return NaN;
  const place = share * <f64>(sorted.length - 1), i = <i32>place;
  const a = sorted[i], b = sorted[min(i + 1, sorted.length - 1)];
  return between(a, b, place - <f64>i);
}

// between goes a part of the way from a to b, and never beyond.
function between(a: f64, b: f64, part: f64): f64 {
  if (part == 1) return b;
  const way = b - a;
  return min(max(isFinite(way) ? a + way * part : a * (1 - part) + b * part, a), b);
}

// histogram writes how many values are in bins of equal width. A bin has its lower
// edge and not its upper one, but for the last.
function histogram(sorted: Float64Array, r: Request): string {
  const from = isNaN(r.min) ? quantile(sorted, 0) : r.min, to = isNaN(r.max) ? quantile(sorted, 1) : r.max;
  if (!(from <= to)) { // no values, or none on this side of the one limit there is
    const below = !isNaN(r.min) ? r.count : 0;
    return `"below":${below},"above":${r.count - below},"bins":[]`;
  }
  const bins = from == to ? 1 : r.bins, counts = new StaticArray<i32>(bins);
  let below = 0, above = 0, bin = 0;
  for (let i = 0; i < sorted.length; i++) {
    const x = sorted[i];
    if (x < from) below++;
    else if (x > to) above++;
    else {
      while (bin < bins - 1 && x >= between(from, to, <f64>(bin + 1) / <f64>bins)) bin++;
      counts[bin]++;
    }
  }
  let json = `"below":${below},"above":${above},"bins":[`;
  for (let i = 0; i < bins; i++) {
    const lower = between(from, to, <f64>i / <f64>bins), upper = between(from, to, <f64>(i + 1) / <f64>bins);
    json += (i > 0 ? "," : "") + `{"from":${format(lower)},"to":${format(upper)},"count":${counts[i]}}`;
  }
  return json + "]";
}
