// What `capstan bench` may be told: the flags' texts become numbers, lists and sizes, or a clear error.
import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";

const UNITS: { readonly [unit: string]: number } = {
  "": 1,
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  ki: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  mi: 1024 ** 2,
};

/** One number from `min` to `max`. */
export function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Not a number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A whole number from `min` to `max`. */
export function integerFrom(min: number, max: number): (text: string) => number {
  const parse = numberFrom(min, max);
  return (text) => {
    const value = parse(text);
    if (!Number.isInteger(value)) throw new InvalidArgumentError("Not a whole number.");
    return value;
  };
}

const MILLISECONDS: { readonly [unit: string]: number } = { ms: 1, s: 1_000, m: 60_000 };

/**
 * A time from `min` to `max` milliseconds, such as 3s, 500ms or 1m, in milliseconds.
 *
 * @param bare the unit of a number without one.
 */
export function timeFrom(min: number, max: number, bare: "s" | "ms"): (text: string) => number {
  const named = (time: number): string => (time % 1_000 === 0 && time > 0 ? `${time / 1_000}s` : `${time}ms`);
  return (text) => {
    const [, digits = "", unit = ""] = /^\s*(\d*\.?\d+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
    const time = Number(digits) * (MILLISECONDS[unit.toLowerCase() || bare] ?? Number.NaN);
    if (digits === "" || !(time >= min && time <= max)) {
      const meant = bare === "s" ? "seconds" : "milliseconds";
      throw new InvalidArgumentError(
        `Not a time from ${named(min)} to ${named(max)}, such as 3s, 500ms or 1m; a bare number means ${meant}.`,
      );
    }
    return time;
  };
}

/** Several with commas between them, each once, in rising order. */
export function listOf(parse: (text: string) => number): (text: string) => number[] {
  return (text) => [...new Set(text.split(",").map(parse))].sort((a, b) => a - b);
}

/** A number of bytes: 512, 4KiB, 16MiB. */
export function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const size = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (digits === "" || !Number.isInteger(size) || size < 1 || size > 30 * 1024 ** 2) {
    throw new InvalidArgumentError("Not a size from 1 B to 30 MiB, such as 16, 4KiB or 1MiB.");
  }
  return size;
}

/** Some of `known`, with commas between them. */
export function someOf<Name extends string>(known: readonly Name[]): (text: string) => Name[] {
  return (text) => {
    const names = text.split(",").map((name) => name.trim());
    for (const name of names) {
      if (!(known as readonly string[]).includes(name)) {
        throw new InvalidArgumentError(`"${name}" is none of ${known.join(", ")}.`);
      }
    }
    return known.filter((name) => names.includes(name));
  };
}

/** The arguments of a user's method: a JSON array, or `@file` for one that a file has, `@-` for standard input's. */
export function parseArguments(text: string): unknown[] {
  const json = text.startsWith("@") ? readText(text.slice(1)) : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new InvalidArgumentError(json === text ? "Not JSON; @file.json reads it from a file." : "Not JSON in there.");
  }
  if (!Array.isArray(value)) throw new InvalidArgumentError("Not a JSON array: write [1, 2] for two arguments.");
  return value;
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw new InvalidArgumentError(`${file} cannot be read: ${(error as Error).message}.`);
  }
}
