// calculator.capnp in TypeScript: its calls for whoever makes them, its programs and functions for both ends. Structs are
// read and written by the offsets in gen/calculator.ts.
import {
  type Capability,
  callMethod,
  InterfaceServer,
  LocalCapability,
  type MethodCall,
  RpcError,
  type ServedMethod,
  type StructBuilder,
  type StructView,
} from "@capstan/vat";
import * as schema from "./gen/calculator.ts";

/** A step of a program: `Step` of the schema. */
export type Step =
  | { readonly number: number }
  | { readonly value: Capability }
  | { readonly argument: number }
  | { readonly call: Capability; readonly arity: number };

const OPERATORS = {
  add: schema.OPERATOR_IS_ADD,
  subtract: schema.OPERATOR_IS_SUBTRACT,
  multiply: schema.OPERATOR_IS_MULTIPLY,
  divide: schema.OPERATOR_IS_DIVIDE,
};

// Calls. Each borrows the capabilities that it is given; the one that it returns belongs to the caller, who may use it at
// once: the call that brings it need not have returned, nor need the calls before that one.

export function evaluate(calculator: Capability, program: readonly Step[]): Capability {
  using call = callMethod(calculator, schema.CALCULATOR_EVALUATE, (params) =>
    writeProgram(params, schema.CALCULATOR_EVALUATE_PARAMS_PROGRAM_POINTER, program),
  );
  return call.pipeline(schema.CALCULATOR_EVALUATE_RESULTS_VALUE_POINTER);
}

export function getOperator(calculator: Capability, operator: keyof typeof OPERATORS): Capability {
  using call = callMethod(calculator, schema.CALCULATOR_GET_OPERATOR, (params) =>
    params.setNumber("uint16", schema.CALCULATOR_GET_OPERATOR_PARAMS_OPERATOR, OPERATORS[operator]),
  );
  return call.pipeline(schema.CALCULATOR_GET_OPERATOR_RESULTS_FUNCTION_POINTER);
}

export function defineFunction(calculator: Capability, arity: number, body: readonly Step[]): Capability {
  using call = callMethod(calculator, schema.CALCULATOR_DEFINE_FUNCTION, (params) => {
    params.setNumber("uint16", schema.CALCULATOR_DEFINE_FUNCTION_PARAMS_ARITY, arity);
    writeProgram(params, schema.CALCULATOR_DEFINE_FUNCTION_PARAMS_BODY_POINTER, body);
  });
  return call.pipeline(schema.CALCULATOR_DEFINE_FUNCTION_RESULTS_FUNCTION_POINTER);
}

/** @throws RpcError where the program failed. */
export function readValue(value: Capability): Promise<number> {
  return numberOf(callMethod(value, schema.VALUE_READ), schema.VALUE_READ_RESULTS_NUMBER);
}

/** @throws RpcError where the function failed. */
export function callFunction(target: Capability, args: readonly number[]): Promise<number> {
  const call = callMethod(target, schema.FUNCTION_CALL, (params) =>
    params.setNumbers(schema.FUNCTION_CALL_PARAMS_ARGUMENTS_POINTER, "float64", args),
  );
  return numberOf(call, schema.FUNCTION_CALL_RESULTS_RESULT);
}

async function numberOf(call: MethodCall, offset: number): Promise<number> {
  using results = await call;
  return results.struct.float64(offset);
}

/**
 * A `Function` of this end: `compute` runs whenever somebody calls it.
 *
 * @param onRelease told when nobody holds it any more, and it does not run.
 */
export function makeFunction(
  compute: (...args: number[]) => number | Promise<number>,
  onRelease?: () => void,
): Capability {
  const served: ServedMethod = {
    method: schema.FUNCTION_CALL,
    async handle(call) {
      const result = await compute(...call.params.numbers(schema.FUNCTION_CALL_PARAMS_ARGUMENTS_POINTER, "float64"));
      call.results((results) => results.setNumber("float64", schema.FUNCTION_CALL_RESULTS_RESULT, result));
    },
  };
  return new LocalCapability(new InterfaceServer([served], onRelease));
}

// Programs in messages

export function writeProgram(out: StructBuilder, pointer: number, program: readonly Step[]): void {
  const steps = out.initStructs(pointer, program.length, schema.STEP_STRUCT_SIZE);
  program.forEach((step, i) => {
    writeStep(steps[i]!, step);
  });
}

function writeStep(out: StructBuilder, step: Step): void {
  if ("number" in step) {
    out.setNumber("uint16", schema.STEP_WHICH, schema.STEP_IS_NUMBER);
    out.setNumber("float64", schema.STEP_NUMBER, step.number);
  } else if ("value" in step) {
    out.setNumber("uint16", schema.STEP_WHICH, schema.STEP_IS_VALUE);
    out.setCapability(schema.STEP_VALUE_POINTER, step.value);
  } else if ("argument" in step) {
    out.setNumber("uint16", schema.STEP_WHICH, schema.STEP_IS_ARGUMENT);
    out.setNumber("uint16", schema.STEP_ARGUMENT, step.argument);
  } else {
    out.setNumber("uint16", schema.STEP_WHICH, schema.STEP_IS_CALL);
    out.setCapability(schema.STEP_CALL_FUNCTION_POINTER, step.call);
    out.setNumber("uint16", schema.STEP_CALL_ARITY, step.arity);
  }
}

/** The capabilities in it belong to the caller, who gives them back with `releaseProgram`. */
export function readProgram(params: StructView, pointer: number): Step[] {
  const program: Step[] = [];
  try {
    for (const step of params.structs(pointer)) program.push(readStep(step));
    return program;
  } catch (error) {
    releaseProgram(program);
    throw error;
  }
}

function readStep(step: StructView): Step {
  switch (step.uint16(schema.STEP_WHICH)) {
    case schema.STEP_IS_NUMBER:
      return { number: step.float64(schema.STEP_NUMBER) };
    case schema.STEP_IS_VALUE:
      return { value: capabilityOf(step, schema.STEP_VALUE_POINTER) };
    case schema.STEP_IS_ARGUMENT:
      return { argument: step.uint16(schema.STEP_ARGUMENT) };
    case schema.STEP_IS_CALL: {
      const arity = step.uint16(schema.STEP_CALL_ARITY);
      return { call: capabilityOf(step, schema.STEP_CALL_FUNCTION_POINTER), arity };
    }
    default:
      throw RpcError.unimplemented("The program has a step of an unknown kind.");
  }
}

function capabilityOf(step: StructView, pointer: number): Capability {
  const capability = step.capability(pointer);
  if (capability === undefined) throw RpcError.failed("The program has a step without its object.");
  return capability;
}

export function releaseProgram(program: readonly Step[]): void {
  for (const step of program) {
    if ("value" in step) step.value.release();
    if ("call" in step) step.call.release();
  }
}
