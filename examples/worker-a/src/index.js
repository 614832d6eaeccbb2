// Answers HTTP with what another Worker, in another process, says.
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/add") {
      const sum = await env.WORKER_B.add(Number(url.searchParams.get("a")), Number(url.searchParams.get("b")));
      return new Response(`${sum}\n`);
    }
    if (url.pathname === "/count") {
      // A chain of three calls, each on what the one before will return: one round trip.
      const total = await env.WORKER_B.newCounter().incrementBy(20).incrementBy(22).value();
      return new Response(`${total}\n`);
    }
    return new Response(`${await env.WORKER_B.greet(env.GREETING)}\n`);
  },
};
