// How the peer listens and connects: WebSocket at /_capstan, plain TCP, Unix sockets. One connection is one two-party
// vat network over a message stream.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>
#include <kj/async-io.h>
#include <kj/compat/http.h>
#include <memory>

namespace interop {

enum class Transport { WS, TCP, UNIX };

struct TransportOptions {
  Transport transport = Transport::TCP;
  bool tear = false;  // Messages are torn into many segments.
};

// The event loop, and what HTTP needs beside it. One for the process.
struct Io {
  Io();
  kj::AsyncIoContext async;
  kj::HttpHeaderTable headers;
  kj::Timer& timer() { return async.provider->getTimer(); }
  kj::WaitScope& waitScope() { return async.waitScope; }
};

// Ends a served connection from inside a call that came over it.
class Dropper {
public:
  explicit Dropper(kj::Own<kj::PromiseFulfiller<bool>> fulfiller) : fulfiller(kj::mv(fulfiller)) {}
  void drop(bool abort) { fulfiller->fulfill(kj::mv(abort)); }

private:
  kj::Own<kj::PromiseFulfiller<bool>> fulfiller;
};

// Makes the bootstrap capability of one connection.
using MakeBootstrap = kj::Function<capnp::Capability::Client(std::shared_ptr<Dropper>)>;

class Listener {
public:
  // Listens at a port of the loopback interface (0 is a free one), or at the path of a Unix socket.
  Listener(Io& io, TransportOptions options, kj::StringPtr where, MakeBootstrap makeBootstrap);
  ~Listener() noexcept(false);
  // 0 for Unix sockets.
  unsigned port();

private:
  struct State;
  kj::Own<State> state;
};

// The client's end of a connection.
class Connection {
public:
  // Blocks until it is connected. `where` is HOST:PORT, or a path.
  Connection(Io& io, TransportOptions options, kj::StringPtr where);
  ~Connection() noexcept(false);
  capnp::Capability::Client bootstrap();
  kj::Promise<void> onDisconnect();

private:
  struct State;
  kj::Own<State> state;
};

}  // namespace interop
