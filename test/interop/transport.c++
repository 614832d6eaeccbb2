// Listening and connecting.
#include "transport.h"

#include <capnp/compat/websocket-rpc.h>
#include <capnp/rpc.capnp.h>
#include <kj/debug.h>
#include <sys/random.h>

#include "tear.h"

namespace interop {

namespace {

constexpr kj::StringPtr PATH = "/_capstan"_kj;

// Messages of 64 MiB pass, as they do with Capstan's default limits.
capnp::ReaderOptions readerOptions() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = 64u << 20;
  return options;
}

class Random final : public kj::EntropySource {
public:
  void generate(kj::ArrayPtr<kj::byte> buffer) override {
    KJ_ASSERT(getrandom(buffer.begin(), buffer.size(), 0) == static_cast<ssize_t>(buffer.size()));
  }
};

Random random;

kj::String addressOf(Transport transport, kj::StringPtr where) {
  return transport == Transport::UNIX ? kj::str("unix:", where) : kj::str(where);
}

// The library's stream of 0.9 gives a reason with a close code that may have none, so its end fails. This one ends well.
class ClosingStream final : public capnp::MessageStream {
public:
  explicit ClosingStream(kj::WebSocket& webSocket) : webSocket(webSocket), inner(webSocket) {}

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> fdSpace, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratchSpace) override {
    return inner.tryReadMessage(fdSpace, options, scratchSpace);
  }
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> fds,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override {
    return inner.writeMessage(fds, segments);
  }
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override {
    return inner.writeMessages(messages);
  }
  kj::Maybe<int> getSendBufferSize() override { return inner.getSendBufferSize(); }
  kj::Promise<void> end() override { return webSocket.close(1000, ""); }

private:
  kj::WebSocket& webSocket;
  capnp::WebSocketMessageStream inner;
};

// A message stream, torn if asked for, that owns what it stands on. Members are destroyed from the last to the first.
struct Wire {
  kj::Own<kj::AsyncIoStream> socket;
  kj::Own<kj::HttpClient> http;
  kj::Own<kj::WebSocket> webSocket;
  kj::Own<capnp::MessageStream> plain;
  kj::Own<capnp::MessageStream> tearing;

  capnp::MessageStream& stream() { return tearing.get() == nullptr ? *plain : *tearing; }

  void overSocket(kj::Own<kj::AsyncIoStream> given, bool tear) {
    socket = kj::mv(given);
    plain = kj::heap<capnp::AsyncIoMessageStream>(*socket);
    if (tear) tearing = kj::heap<TearingStream>(*plain);
  }

  void overWebSocket(kj::Own<kj::WebSocket> given, bool tear) {
    webSocket = kj::mv(given);
    plain = kj::heap<ClosingStream>(*webSocket);
    if (tear) tearing = kj::heap<TearingStream>(*plain);
  }
};

// One served connection.
class Session {
public:
  Session(kj::Own<Wire> wire, MakeBootstrap& makeBootstrap)
      : Session(kj::mv(wire), makeBootstrap, kj::newPromiseAndFulfiller<bool>()) {}

  // Returns when the connection is over; nothing of it may be used then.
  kj::Promise<void> run() {
    auto dropOnRequest = dropped.then([this](bool abort) -> kj::Promise<void> {
      if (!abort) return kj::READY_NOW;
      return drained().then([this]() { return sendAbort(); });
    });
    return network.onDisconnect().exclusiveJoin(kj::mv(dropOnRequest));
  }

private:
  kj::Own<Wire> wire;
  capnp::TwoPartyVatNetwork network;
  kj::Promise<bool> dropped;
  std::shared_ptr<Dropper> dropper;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> system;
  capnp::MallocMessageBuilder abortMessage;

  Session(kj::Own<Wire> given, MakeBootstrap& makeBootstrap, kj::PromiseFulfillerPair<bool> paf)
      : wire(kj::mv(given)),
        network(wire->stream(), capnp::rpc::twoparty::Side::SERVER, readerOptions()),
        dropped(kj::mv(paf.promise)),
        dropper(std::make_shared<Dropper>(kj::mv(paf.fulfiller))),
        system(capnp::makeRpcServer(network, makeBootstrap(dropper))) {}

  // The library writes one message at a time: wait for those it has queued.
  kj::Promise<void> drained() {
    if (network.getCurrentQueueCount() == 0) return kj::READY_NOW;
    return kj::evalLast([this]() { return drained(); });
  }

  kj::Promise<void> sendAbort() {
    auto exception = abortMessage.initRoot<capnp::rpc::Message>().initAbort();
    exception.setReason("dropped on request");
    exception.setType(capnp::rpc::Exception::Type::FAILED);
    return wire->stream().writeMessage(abortMessage);
  }
};

}  // namespace

Io::Io() : async(kj::setupAsyncIo()) {}

struct Listener::State final : private kj::HttpService, private kj::TaskSet::ErrorHandler {
  Io& io;
  TransportOptions options;
  MakeBootstrap makeBootstrap;
  kj::HttpServer http;
  kj::Own<kj::ConnectionReceiver> receiver;
  kj::TaskSet tasks;

  State(Io& io, TransportOptions options, kj::StringPtr where, MakeBootstrap makeBootstrap)
      : io(io),
        options(options),
        makeBootstrap(kj::mv(makeBootstrap)),
        http(io.timer(), io.headers, static_cast<kj::HttpService&>(*this)),
        tasks(*this) {
    auto& network = io.async.provider->getNetwork();
    kj::String address = options.transport == Transport::UNIX ? addressOf(options.transport, where)
                                                              : kj::str("127.0.0.1:", where);
    receiver = network.parseAddress(address).wait(io.waitScope())->listen();
    tasks.add(options.transport == Transport::WS ? http.listenHttp(*receiver) : acceptAll());
  }

  kj::Promise<void> acceptAll() {
    return receiver->accept().then([this](kj::Own<kj::AsyncIoStream> socket) {
      auto wire = kj::heap<Wire>();
      wire->overSocket(kj::mv(socket), options.tear);
      tasks.add(serve(kj::mv(wire)));
      return acceptAll();
    });
  }

  kj::Promise<void> serve(kj::Own<Wire> wire) {
    auto session = kj::heap<Session>(kj::mv(wire), makeBootstrap);
    auto done = session->run();
    return done.attach(kj::mv(session));
  }

  kj::Promise<void> request(kj::HttpMethod, kj::StringPtr url, const kj::HttpHeaders& headers,
                            kj::AsyncInputStream&, Response& response) override {
    if (url != PATH || !headers.isWebSocket()) return response.sendError(404, "Not Found", io.headers);
    auto wire = kj::heap<Wire>();
    wire->overWebSocket(response.acceptWebSocket(kj::HttpHeaders(io.headers)), options.tear);
    return serve(kj::mv(wire));
  }

  void taskFailed(kj::Exception&& exception) override {
    // A peer may go as it likes.
    if (exception.getType() != kj::Exception::Type::DISCONNECTED) KJ_LOG(ERROR, exception);
  }
};

Listener::Listener(Io& io, TransportOptions options, kj::StringPtr where, MakeBootstrap makeBootstrap)
    : state(kj::heap<State>(io, options, where, kj::mv(makeBootstrap))) {}
Listener::~Listener() noexcept(false) {}

unsigned Listener::port() { return state->options.transport == Transport::UNIX ? 0 : state->receiver->getPort(); }

struct Connection::State {
  Wire wire;
  kj::Own<capnp::TwoPartyVatNetwork> network;
  kj::Own<capnp::RpcSystem<capnp::rpc::twoparty::VatId>> system;
};

Connection::Connection(Io& io, TransportOptions options, kj::StringPtr where) : state(kj::heap<State>()) {
  auto& waitScope = io.waitScope();
  auto address = io.async.provider->getNetwork().parseAddress(addressOf(options.transport, where)).wait(waitScope);
  auto socket = address->connect().wait(waitScope);
  if (options.transport == Transport::WS) {
    state->wire.socket = kj::mv(socket);
    kj::HttpClientSettings settings;
    settings.entropySource = random;
    state->wire.http = kj::newHttpClient(io.headers, *state->wire.socket, settings);
    kj::HttpHeaders headers(io.headers);
    headers.set(kj::HttpHeaderId::HOST, where);
    auto response = state->wire.http->openWebSocket(PATH, headers).wait(waitScope);
    KJ_SWITCH_ONEOF(response.webSocketOrBody) {
      KJ_CASE_ONEOF(webSocket, kj::Own<kj::WebSocket>) {
        state->wire.overWebSocket(kj::mv(webSocket), options.tear);
      }
      KJ_CASE_ONEOF(body, kj::Own<kj::AsyncInputStream>) {
        KJ_FAIL_REQUIRE("no WebSocket was opened", response.statusCode, response.statusText);
      }
    }
  } else {
    state->wire.overSocket(kj::mv(socket), options.tear);
  }
  state->network = kj::heap<capnp::TwoPartyVatNetwork>(state->wire.stream(), capnp::rpc::twoparty::Side::CLIENT,
                                                       readerOptions());
  state->system = kj::heap(capnp::makeRpcClient(*state->network));
}

Connection::~Connection() noexcept(false) {}

capnp::Capability::Client Connection::bootstrap() {
  capnp::word scratch[4];
  memset(scratch, 0, sizeof(scratch));
  capnp::MallocMessageBuilder message(scratch);
  auto vatId = message.getRoot<capnp::rpc::twoparty::VatId>();
  vatId.setSide(capnp::rpc::twoparty::Side::SERVER);
  return state->system->bootstrap(vatId);
}

kj::Promise<void> Connection::onDisconnect() { return state->network->onDisconnect(); }

}  // namespace interop
