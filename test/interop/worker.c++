// Calls Workers on a Capstan host, and serves one.
#include "worker.h"

#include <link.capnp.h>
#include <cstdio>
#include <cstdlib>

#include "value.h"

namespace interop {

namespace {

using CallContext = capnp::CallContext<JsRpcTarget::CallParams, JsRpcTarget::CallResults>;

Value argumentOf(const std::string& text) {
  char* end;
  double number = strtod(text.c_str(), &end);
  bool isNumber = !text.empty() && *end == 0;
  return isNumber ? Value::of(number) : Value::of(text);
}

kj::ArrayPtr<const kj::byte> pointerTo(const std::vector<kj::byte>& bytes) {
  return kj::arrayPtr(bytes.data(), bytes.size());
}

class WorkerServer final : public Service::Server {
public:
  kj::Promise<void> call(CallContext context) override {
    auto params = context.getParams();
    std::string method = methodOf(params);
    KJ_REQUIRE(params.getOperation().isCallWithArgs(), "jsg.Error: only methods can be had here");
    std::vector<Value> arguments;
    if (params.getOperation().hasCallWithArgs()) {
      arguments = readValue(params.getOperation().getCallWithArgs().getV8Serialized()).elements;
    }
    auto result = writeValue(run(method, arguments));
    context.getResults().initResult().setV8Serialized(pointerTo(result));
    return kj::READY_NOW;
  }

private:
  static std::string methodOf(JsRpcTarget::CallParams::Reader params) {
    if (params.isMethodName()) return params.getMethodName().cStr();
    auto path = params.getMethodPath();
    return path.size() == 1 ? path[0].cStr() : kj::strArray(path, ".").cStr();
  }

  static Value run(const std::string& method, const std::vector<Value>& arguments) {
    if (method == "add" && arguments.size() == 2) return Value::of(arguments[0].number + arguments[1].number);
    if (method == "greet" && arguments.size() == 1) return Value::of("Hello, " + arguments[0].text + "!");
    kj::throwFatalException(kj::Exception(
        kj::Exception::Type::FAILED, __FILE__, __LINE__,
        kj::str("jsg.TypeError: The RPC receiver does not implement the method \"", method.c_str(), "\".")));
  }
};

class LinkServer final : public Link::Server {
public:
  kj::Promise<void> service(ServiceContext context) override {
    auto params = context.getParams();
    if (params.getName().size() > 0) return failure("service", params.getName());
    if (params.getEntrypoint().size() > 0) return failure("entrypoint", params.getEntrypoint());
    context.getResults().setService(kj::heap<WorkerServer>());
    return kj::READY_NOW;
  }

private:
  static kj::Exception failure(kj::StringPtr what, kj::StringPtr name) {
    return kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
                         kj::str("No such ", what, ": \"", name, "\""));
  }
};

}  // namespace

void callWorker(Io& io, TransportOptions options, kj::StringPtr where, kj::StringPtr service, kj::StringPtr method,
                const std::vector<std::string>& arguments) {
  Connection connection(io, options, where);
  auto link = connection.bootstrap().castAs<Link>();
  auto find = link.serviceRequest();
  find.setName(service);
  auto found = find.send();

  auto request = found.getService().callRequest();
  request.setMethodName(method);
  std::vector<Value> values;
  for (auto& argument : arguments) values.push_back(argumentOf(argument));
  auto bytes = writeValue(Value::of(values));
  request.initOperation().initCallWithArgs().setV8Serialized(pointerTo(bytes));
  auto response = request.send().wait(io.waitScope());
  printf("%s\n", toJson(readValue(response.getResult().getV8Serialized())).c_str());
}

capnp::Capability::Client makeLink() { return kj::heap<LinkServer>(); }

}  // namespace interop
