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
  # An entrypoint of a service. Each call on it is an invocation of its own. Params and results are laid out as those of
  # `JsRpcTarget.call`; the path says what is called there, "fetch" or "connect".

  fetch @0 JsRpc.JsRpcTarget.CallParams -> JsRpc.JsRpcTarget.CallResults;
  # The arguments are one Request, whose `redirect` is "manual"; the result is a Response.

  connect @1 JsRpc.JsRpcTarget.CallParams -> JsRpc.JsRpcTarget.CallResults;
  # The arguments are an address, a stream of what the caller sends and one that takes what it is to receive. Returns when
  # the handler is done.
}

interface ValueSink {
  # What Capstan's byte streams offer besides `ByteStream`: chunks that are no bytes, and how a stream ends badly.

  write @0 (value :JsRpc.JsValue) -> stream;
  abort @1 (reason :JsRpc.JsValue);
  # The writer gives up. Dropping a stream without `end` or `abort` means that the writer is lost.
}

interface Watched {
  # Offered by the sinks of streams and the triggers of signals, to whoever writes to them.

  closed @0 () -> ();
  # Returns when nothing more is wanted: the stream was read to its end, or nobody holds the signal. Fails with the
  # reader's reason when it gives up.
}

interface Source {
  # What a pushed stream or signal can do for a holder in another vat, who got it through a proxy.

  forwardTo @0 (end :Capability) -> ();
  # Every call that was, or will be, made on the kept end (the sink, the trigger) goes on to `end`.
}
