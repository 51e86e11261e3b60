// Counts the lines, words and bytes of its input.
import * as hive from "./hive";

export function hive_run(size: i32): i32 {
  return hive.answer(run(hive.input(size)));
}

function run(input: Uint8Array): Uint8Array | null {
  if (input.length == 0) return hive.fail("nothing to count", true);
  let lines = 0, words = 0, inWord = false;
  for (let i = 0; i < input.length; i++) {
    const c = input[i];
    const space = c == 32 || (c >= 9 && c <= 13 && c != 11);
    if (c == 10) lines++;
    if (!space && !inWord) words++;
    inWord = !space;
  }
  hive.log(hive.INFO, `counted ${words} words`);
  return hive.bytes(`{"lines":${lines},"words":${words},"bytes":${input.length}}\n`);
}
