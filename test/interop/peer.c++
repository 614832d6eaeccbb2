// The C++ peer: a Cap'n Proto server and client of the reference implementation, for the interop tests.
//
//   peer serve [--ws|--tcp|--unix] [--tear] PORT|PATH              serves InteropTest until stdin ends
//   peer run [--ws|--tcp|--unix] [--tear] HOST:PORT|PATH [NAME...] runs scenarios as a client, all of them by default
//   peer list                                                      the scenarios' names
//   peer call-worker --ws HOST:PORT SERVICE METHOD [ARGUMENT...]   calls a Worker on a Capstan host
//   peer serve-worker --ws PORT                                    serves one until stdin ends
#include <kj/debug.h>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "scene.h"
#include "server.h"
#include "tear.h"
#include "worker.h"

namespace interop {

namespace {

struct Arguments {
  TransportOptions options;
  std::vector<std::string> rest;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  bool options = true;
  for (int i = 2; i < argc; i++) {
    std::string it = argv[i];
    options = options && it.rfind("--", 0) == 0;
    if (!options) {
      arguments.rest.push_back(it);
    } else if (it == "--ws") {
      arguments.options.transport = Transport::WS;
    } else if (it == "--tcp") {
      arguments.options.transport = Transport::TCP;
    } else if (it == "--unix") {
      arguments.options.transport = Transport::UNIX;
    } else if (it == "--tear") {
      arguments.options.tear = true;
    } else {
      KJ_FAIL_REQUIRE("no such option", it.c_str());
    }
  }
  return arguments;
}

std::vector<Scenario> allScenarios() {
  std::vector<Scenario> all;
  for (auto some : {callScenarios(), capabilityScenarios(), promiseScenarios(), endingScenarios()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

void waitForEndOfInput(Io& io) {
  auto input = io.async.lowLevelProvider->wrapInputFd(0);
  char buffer[256];
  while (input->tryRead(buffer, 1, sizeof(buffer)).wait(io.waitScope()) > 0) {}
}

void say(kj::StringPtr line) {
  printf("%s\n", line.cStr());
  fflush(stdout);
}

void listenUntilEndOfInput(Io& io, const Arguments& arguments, MakeBootstrap makeBootstrap) {
  KJ_REQUIRE(arguments.rest.size() == 1, "a port or a path is needed");
  Listener listener(io, arguments.options, arguments.rest[0].c_str(), kj::mv(makeBootstrap));
  if (arguments.options.transport == Transport::UNIX) {
    say(kj::str("listening on ", arguments.rest[0].c_str()));
  } else {
    say(kj::str("listening on ", listener.port()));
  }
  waitForEndOfInput(io);
}

int serve(const Arguments& arguments) {
  Io io;
  World world;
  listenUntilEndOfInput(io, arguments, [&world](std::shared_ptr<Dropper> dropper) {
    return makeInteropTest(world, kj::mv(dropper));
  });
  world.shelf.clear();
  // Connections are gone: what still lives was leaked.
  uint leaked = world.counts.objects;
  if (leaked > 0) fprintf(stderr, "%u objects leaked\n", leaked);
  return leaked > 0 ? 1 : 0;
}

int run(const Arguments& arguments) {
  KJ_REQUIRE(arguments.rest.size() >= 1, "a server's address is needed");
  std::vector<std::string> names(arguments.rest.begin() + 1, arguments.rest.end());
  auto all = allScenarios();
  std::vector<Scenario> chosen;
  for (auto& name : names) {
    bool found = false;
    for (auto& scenario : all) {
      if (scenario.name != name.c_str()) continue;
      chosen.push_back(scenario);
      found = true;
    }
    KJ_REQUIRE(found, "no such scenario", name.c_str());
  }
  if (names.empty()) chosen = all;

  Io io;
  bool allOk = true;
  for (auto& scenario : chosen) {
    auto failure = kj::runCatchingExceptions([&]() {
      runScenario(scenario, io, arguments.options, arguments.rest[0].c_str());
    });
    KJ_IF_MAYBE(e, failure) {
      allOk = false;
      std::string reason = e->getDescription().cStr();
      for (char& c : reason) c = c == '\n' ? ' ' : c;
      say(kj::str("failed ", scenario.name, ": ", reason.c_str(), " (", e->getFile(), ":", e->getLine(), ")"));
    } else {
      say(kj::str("ok ", scenario.name));
    }
  }
  if (torn.messages > 0) {
    fprintf(stderr, "torn: %lu messages into %lu segments, %lu far and %lu double-far pointers\n",
            (unsigned long)torn.messages, (unsigned long)torn.segments, (unsigned long)torn.far,
            (unsigned long)torn.doubleFar);
  }
  return allOk ? 0 : 1;
}

int callWorkerFromArguments(const Arguments& arguments) {
  auto& rest = arguments.rest;
  KJ_REQUIRE(rest.size() >= 3, "an address, a service and a method are needed");
  Io io;
  callWorker(io, arguments.options, rest[0].c_str(), rest[1].c_str(), rest[2].c_str(),
             std::vector<std::string>(rest.begin() + 3, rest.end()));
  return 0;
}

int command(int argc, char** argv) {
  std::string name = argc > 1 ? argv[1] : "";
  auto arguments = parse(argc, argv);
  if (name == "serve") return serve(arguments);
  if (name == "run") return run(arguments);
  if (name == "call-worker") return callWorkerFromArguments(arguments);
  if (name == "serve-worker") {
    Io io;
    listenUntilEndOfInput(io, arguments, [](std::shared_ptr<Dropper>) { return makeLink(); });
    return 0;
  }
  if (name == "list") {
    for (auto& scenario : allScenarios()) say(scenario.name);
    return 0;
  }
  KJ_FAIL_REQUIRE("usage: peer serve|run|list|call-worker|serve-worker");
}

}  // namespace

}  // namespace interop

int main(int argc, char** argv) {
  int code = 1;
  auto failure = kj::runCatchingExceptions([&]() { code = interop::command(argc, argv); });
  KJ_IF_MAYBE(e, failure) {
    fprintf(stderr, "failed: %s: %s\n", kj::str(e->getType()).cStr(), e->getDescription().cStr());
    return 1;
  }
  return code;
}
