# What a Capstan host offers over a connection.

@0xe2c1b0a49c5d7f31;

using JsRpc = import "js-rpc.capnp";

interface Link {
  # The bootstrap capability of a host.

  service @0 (name :Text, entrypoint :Text, props :JsRpc.JsValue) -> (service :Service);
  # A service by its name, "" being the host's first one, and by the name of its entrypoint, "" being its default
  # export. Fails for names that do not exist. `props` is what the caller's binding hands over, null where it has none;
  # a host that does not trust its callers fails for any.
}

interface Service extends(JsRpc.JsRpcTarget) {
  # An entrypoint of a service. Each `call` on it is an invocation of its own: methods of its own come here.
}
