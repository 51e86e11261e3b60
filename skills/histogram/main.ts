// Answers a histogram of numbers, their mean, deviation and quantiles.
import * as hive from "../sdk/assemblyscript/hive";
import { Reader } from "./request";
import { answer } from "./stats";

export function hive_run(size: i32): i32 {
  return hive.answer(run(hive.input(size)));
}

function run(input: Uint8Array): Uint8Array | null {
  const reader = new Reader(input), request = reader.read();
  return request === null ? hive.fail(reader.error, true) : hive.bytes(answer(request));
}
