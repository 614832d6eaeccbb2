# A calculator whose programs, values and functions are objects: of the server's or of the client's, wherever they are used.

@0x82645b378dc87b07;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("calculator");

interface Calculator {
  evaluate @0 (program :List(Step)) -> (value :Value);
  # What the program computes. Returns before that is known, and also where the program fails: reading the value fails then.

  getOperator @1 (operator :Operator) -> (function :Function);
  # A function of two numbers.

  defineFunction @2 (arity :UInt16, body :List(Step)) -> (function :Function);
  # A function of so many numbers, which the body takes with `argument`.
}

enum Operator {
  add @0;
  subtract @1;
  multiply @2;
  divide @3;
}

struct Step {
  # Programs are in reverse Polish notation. Each step puts one number on a stack, and what is there at the end, which must be
  # one number alone, is what the program computes: "2 3 add 4 multiply" computes 20.

  union {
    number @0 :Float64;

    value @1 :Value;
    # What another program computes, of this calculator or any other.

    argument @2 :UInt16;
    # Only in the body of a function: its argument of this index, from 0.

    call :group {
      # Takes `arity` numbers off the stack, and puts there what the function makes of them.
      function @3 :Function;
      arity @4 :UInt16;
    }
  }
}

interface Value {
  read @0 () -> (number :Float64);
  # Waits until it is known.
}

interface Function {
  call @0 (arguments :List(Float64)) -> (result :Float64);
}
