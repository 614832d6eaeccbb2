# The two Workers in one workerd, the one bound to the other; HTTP goes to the caller.

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "caller", worker = .caller), (name = "callee", worker = .callee)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "caller")],
);

const caller :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "caller/index.js")],
  bindings = [(name = "CALLEE", service = "callee")],
  compatibilityDate = "2026-11-01",
);

const callee :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "callee/index.js")],
  compatibilityDate = "2026-11-01",
);
