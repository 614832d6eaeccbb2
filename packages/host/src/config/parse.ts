// The text of a configuration file, TOML or JSON with comments, as plain data.
import { type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml, TomlError } from "smol-toml";
import { ConfigError } from "./config-error.ts";

/** What a configuration file can be written in. Both `.json` and `.jsonc` may have comments and trailing commas. */
export type Syntax = "toml" | "json";

/** As deep as the TOML parser goes. */
const MAX_DEPTH = 1000;

/**
 * Parses `text`. Values are JSON's; TOML adds dates (instances of Date), infinities and NaN, which whoever takes a
 * value has to refuse.
 *
 * @param file what errors call the file.
 * @throws ConfigError with line and column, for malformed text and for a key given twice.
 */
export function parseConfigText(text: string, syntax: Syntax, file: string): unknown {
  try {
    return syntax === "toml" ? parseTomlText(text, file) : parseJsonText(text, file);
  } catch (cause) {
    if (cause instanceof RangeError) throw new ConfigError(file, ["nested too deeply"], { cause });
    throw cause;
  }
}

function parseTomlText(text: string, file: string): unknown {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The parser's message goes on with a picture of the place, which line and column already say.
    const [headline = ""] = cause.message.split("\n");
    const problem = headline.replace(/^Invalid TOML document: /, "");
    // It takes the end of the line for a character that a string can't have.
    const isOpen = problem.startsWith("control characters") && isEndOfLine(text, cause.line, cause.column);
    throw ConfigError.at(file, cause.line, cause.column, isOpen ? "the string has no closing quote" : problem, {
      cause,
    });
  }
}

function isEndOfLine(text: string, line: number, column: number): boolean {
  const found = text.split(/\r?\n/)[line - 1];
  return found !== undefined && column > found.length;
}

function parseJsonText(text: string, file: string): unknown {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  // The first error is the mistake; those after it are mostly its echoes.
  const [first] = errors;
  if (first !== undefined) throw errorAt(text, first.offset, file, inWords(printParseErrorCode(first.error)));
  if (root === undefined) throw errorAt(text, 0, file, "value expected");
  return valueOf(root, text, file, 0);
}

function valueOf(node: Node, text: string, file: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new ConfigError(file, ["nested too deeply"]);
  if (node.type === "array") return (node.children ?? []).map((child) => valueOf(child, text, file, depth + 1));
  if (node.type !== "object") return node.value as unknown;
  const object: Record<string, unknown> = {};
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? [];
    if (key === undefined || value === undefined) continue;
    const name = String(key.value);
    if (Object.hasOwn(object, name)) throw errorAt(text, key.offset, file, `the key "${name}" is there twice`);
    // Defined, not assigned: a key "__proto__" must be a key like any other.
    Object.defineProperty(object, name, {
      value: valueOf(value, text, file, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}

function errorAt(text: string, offset: number, file: string, problem: string): ConfigError {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return ConfigError.at(file, lines.length, (lines.at(-1)?.length ?? 0) + 1, problem);
}

/** `CloseBraceExpected` → `close brace expected`. */
function inWords(code: string): string {
  return code.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}
