// Makes so many calls, so many of them in flight, and answers when all are back.
export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    let left = Number(searchParams.get("calls"));
    const loop = async (b) => {
      for (let a = b; left-- > 0; a = (a + 1) % 1_000) {
        const sum = await env.CALLEE.add(a, b);
        if (sum !== a + b) throw new Error(`add(${a}, ${b}) gave ${sum}`);
      }
    };
    await Promise.all(Array.from({ length: Number(searchParams.get("inFlight")) }, (_, b) => loop(b)));
    return new Response("done");
  },
};
