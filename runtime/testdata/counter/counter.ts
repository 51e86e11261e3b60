// A reactor that counts its calls in a variable, in an object of the garbage
// collector and in an array that grows. It answers with the largest.
@external("hive", "output_write")
declare function output_write(from: usize, length: i32): i32;

function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}

class Box {
  n: i32 = 0;
}

let calls: i32 = 0;
const box = new Box();
const all: string[] = [];

export function hive_run(length: i32): i32 {
  calls++;
  box.n++;
  all.push(calls.toString());
  const text = String.UTF8.encode(max(calls, max(box.n, all.length)).toString());
  return output_write(changetype<usize>(text), text.byteLength);
}
