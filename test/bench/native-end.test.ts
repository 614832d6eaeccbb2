import { expect } from "chai";
import { NativeEnd } from "../../bench/native-end.ts";

/** A program that says "hello", then answers each line with that line in upper case, and "fail" by failing. */
const PROGRAM = `
console.log("hello");
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  if (line !== "fail") return console.log(line.toUpperCase());
  console.error("it broke");
  process.exit(3);
});`;

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: Error) => error.message,
  );
}

describe("bench: an end that is a program of its own", () => {
  it("answers line by line, in order", async () => {
    const [first, end] = await NativeEnd.start(process.execPath, ["-e", PROGRAM]);
    expect(first).to.equal("hello");
    expect(await Promise.all([end.ask("one"), end.ask("two")])).to.deep.equal(["ONE", "TWO"]);
    end.stop();
    expect(await failureOf(end.ask("three"))).to.contain("ended with SIGTERM");
  });

  it("fails what is asked of it, with what it said, when it ends", async () => {
    const [, end] = await NativeEnd.start(process.execPath, ["-e", PROGRAM]);
    const asked = ["fail", "after"].map((line) => failureOf(end.ask(line)));
    for (const message of await Promise.all(asked)) expect(message).to.contain("ended with code 3:\nit broke");
    expect(await failureOf(end.ask("later"))).to.contain("ended with code 3");
  });

  it("fails where there is no such program", async () => {
    expect(await failureOf(NativeEnd.start("/nowhere/adder", []))).to.contain("/nowhere/adder did not start: ");
  });
});
