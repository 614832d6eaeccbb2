// Calls a calculator: npx tsx examples/calculator/client.ts ADDRESS
import type { RpcError } from "@capstan/vat";
import { callFunction, defineFunction, evaluate, getOperator, makeFunction, readValue } from "./calculator.ts";
import { command } from "./command.ts";
import { connect } from "./network.ts";

await command("client.ts", async (address) => {
  // A capability is a reference: `using` gives it back at the end of the block, the connection last.
  using connection = connect(address);
  using calculator = connection.bootstrap();

  // One round trip: nothing has come back when the last of these calls goes out, not even the calculator.
  using add = getOperator(calculator, "add");
  using multiply = getOperator(calculator, "multiply");
  using sum = evaluate(calculator, [{ number: 2 }, { number: 3 }, { call: add, arity: 2 }]);
  console.log(`2 + 3 = ${await readValue(sum)}`);

  // A value is an object, which other programs read: the number does not pass through here.
  using product = evaluate(calculator, [{ value: sum }, { value: sum }, { call: multiply, arity: 2 }]);
  console.log(`its square = ${await readValue(product)}`);

  // A function that the server keeps.
  using cubed = defineFunction(calculator, 1, [
    { argument: 0 },
    { argument: 0 },
    { argument: 0 },
    { call: multiply, arity: 2 },
    { call: multiply, arity: 2 },
  ]);
  console.log(`the cube of 3 = ${await callFunction(cubed, [3])}`);

  // A function of this client's own, which the server calls back, and one that calls the server again.
  using hypotenuse = makeFunction((a, b) => Math.hypot(a, b));
  using volume = makeFunction((side) => callFunction(cubed, [side]));
  using mixed = evaluate(calculator, [
    { number: 3 },
    { number: 4 },
    { call: hypotenuse, arity: 2 },
    { call: volume, arity: 1 },
  ]);
  console.log(`the cube of the hypotenuse of 3 and 4 = ${await readValue(mixed)}`);

  // A program fails where its value is read.
  using broken = evaluate(calculator, [{ number: 1 }, { call: add, arity: 2 }]);
  await readValue(broken).catch((error: RpcError) => console.log(`adding one number: ${error.message}`));
});
