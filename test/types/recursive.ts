// Types that lead to themselves through unions and arrays, checked by the compiler.
import { connect } from "../../packages/client/src/index.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

class Api {
  json(value: Json): Json {
    return value;
  }
  row(...values: Json[]): [Json, number] {
    return [values, values.length];
  }
}

export async function use(): Promise<void> {
  const api = connect<Api>("ws://localhost").service();
  const value: Json = await api.json({ a: [1, "two", { three: null }] });
  await api.json(await api.json(value));
  const [first, count]: readonly [Json, number] = await api.row(value, 1, [value]);
  await api.row(first, count);
  // @ts-expect-error a symbol is no JSON
  await api.json(Symbol("no"));
  // @ts-expect-error nor within it
  await api.json([{ a: Symbol("no") }]);
}
