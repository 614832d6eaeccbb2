// The bootstrap object of `peer serve`.
#pragma once

#include <interop.capnp.h>
#include <memory>

#include "objects.h"
#include "transport.h"

namespace interop {

// What all connections of a server share. Must outlive them.
struct World {
  Counts counts;
  std::map<std::string, Target::Client> shelf;
};

// The bootstrap capability of one connection.
capnp::Capability::Client makeInteropTest(World& world, std::shared_ptr<Dropper> dropper);

}  // namespace interop
