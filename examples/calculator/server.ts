// Serves a calculator: npx tsx examples/calculator/server.ts ADDRESS
import { type Capability, InterfaceServer, LocalCapability, RpcError, type ServedMethod } from "@capstan/vat";
import { callFunction, makeFunction, readProgram, readValue, releaseProgram, type Step } from "./calculator.ts";
import { command } from "./command.ts";
import * as schema from "./gen/calculator.ts";
import { listen } from "./network.ts";

const evaluate: ServedMethod = {
  method: schema.CALCULATOR_EVALUATE,
  handle(call) {
    // Its objects are taken before the call is answered: they outlive the call's parameters.
    const program = readProgram(call.params, schema.CALCULATOR_EVALUATE_PARAMS_PROGRAM_POINTER);
    using value = makeValue(run(program, []).finally(() => releaseProgram(program)));
    call.results((results) => results.setCapability(schema.CALCULATOR_EVALUATE_RESULTS_VALUE_POINTER, value));
  },
};

const getOperator: ServedMethod = {
  method: schema.CALCULATOR_GET_OPERATOR,
  handle(call) {
    const operate = operatorOf(call.params.uint16(schema.CALCULATOR_GET_OPERATOR_PARAMS_OPERATOR));
    using operator = makeFunction((...args) => {
      requireArity(args, 2);
      return operate(args[0]!, args[1]!);
    });
    call.results((results) => results.setCapability(schema.CALCULATOR_GET_OPERATOR_RESULTS_FUNCTION_POINTER, operator));
  },
};

const defineFunction: ServedMethod = {
  method: schema.CALCULATOR_DEFINE_FUNCTION,
  handle(call) {
    const arity = call.params.uint16(schema.CALCULATOR_DEFINE_FUNCTION_PARAMS_ARITY);
    const body = readProgram(call.params, schema.CALCULATOR_DEFINE_FUNCTION_PARAMS_BODY_POINTER);
    using defined = makeFunction(
      (...args) => {
        requireArity(args, arity);
        return run(body, args);
      },
      () => releaseProgram(body),
    );
    call.results((results) =>
      results.setCapability(schema.CALCULATOR_DEFINE_FUNCTION_RESULTS_FUNCTION_POINTER, defined),
    );
  },
};

/** Everything that was asked for while the number is not known waits for it. */
function makeValue(number: Promise<number>): Capability {
  number.catch(() => {}); // Whoever reads it is told. Nobody may.
  const read: ServedMethod = {
    method: schema.VALUE_READ,
    async handle(call) {
      const known = await number;
      call.results((results) => results.setNumber("float64", schema.VALUE_READ_RESULTS_NUMBER, known));
    },
  };
  return new LocalCapability(new InterfaceServer([read]));
}

function operatorOf(operator: number): (a: number, b: number) => number {
  switch (operator) {
    case schema.OPERATOR_IS_ADD:
      return (a, b) => a + b;
    case schema.OPERATOR_IS_SUBTRACT:
      return (a, b) => a - b;
    case schema.OPERATOR_IS_MULTIPLY:
      return (a, b) => a * b;
    case schema.OPERATOR_IS_DIVIDE:
      return (a, b) => a / b;
    default:
      throw RpcError.unimplemented("There is no such operator.");
  }
}

/** Calls what the program names, wherever that lives. */
async function run(program: readonly Step[], args: readonly number[]): Promise<number> {
  const stack: number[] = [];
  for (const step of program) {
    if ("number" in step) stack.push(step.number);
    else if ("value" in step) stack.push(await readValue(step.value));
    else if ("argument" in step) {
      const argument = args[step.argument];
      if (argument === undefined) throw RpcError.failed("There is no such argument.");
      stack.push(argument);
    } else {
      if (step.arity > stack.length) throw RpcError.failed("The stack has too few numbers.");
      stack.push(await callFunction(step.call, stack.splice(stack.length - step.arity)));
    }
  }
  const [result] = stack;
  if (result === undefined || stack.length > 1) throw RpcError.failed("The program does not leave one number alone.");
  return result;
}

function requireArity(args: readonly number[], arity: number): void {
  if (args.length !== arity) throw RpcError.failed("The function takes another count of numbers.");
}

await command("server.ts", async (address) => {
  const calculator = new LocalCapability(new InterfaceServer([evaluate, getOperator, defineFunction]));
  console.log(`listening on ${await listen(address, calculator)}`);
});
