// The capstan command.
import { Command } from "commander";
import { addBench } from "./bench.ts";
import { addCall } from "./call.ts";
import { addInspect } from "./inspect.ts";
import { thrownText } from "./print.ts";
import { addServe } from "./serve.ts";

const program = new Command("capstan").description("Object-capability RPC between Workers.").version("0.1.0");
addServe(program);
addCall(program);
addInspect(program);
addBench(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(thrownText(error));
  process.exit(1);
}
