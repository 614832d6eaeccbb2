// The peer as the other end of Capstan itself: a caller of Workers, and a host of one.
#pragma once

#include <string>
#include <vector>

#include "transport.h"

namespace interop {

// Calls a method of a service of a host, pipelined on `Link.service`. Arguments that look like numbers are numbers, others
// are strings. Prints the result as JSON. Throws what the host threw.
void callWorker(Io& io, TransportOptions options, kj::StringPtr where, kj::StringPtr service, kj::StringPtr method,
                const std::vector<std::string>& arguments);

// The bootstrap capability of a host whose only service has `add(a, b)` and `greet(name)`.
capnp::Capability::Client makeLink();

}  // namespace interop
