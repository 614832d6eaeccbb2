# What is called of Cap'n Proto's other implementations.

@0xd62f1f1d3a0c5e84;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("bench");

interface Adder {
  # The bootstrap capability.

  add @0 (a :Int32, b :Int32) -> (sum :Int32);

  first @1 () -> (step :Step);
  # The first step of a chain.
}

interface Step {
  # One step of a chain of dependent calls.

  next @0 () -> (step :Step);

  count @1 () -> (count :Int32);
  # Which step it is; the first is 1.
}
