// The names of everything that a schema's structs and enums hold, read off its text.

/** `Struct.field`, with groups and nested types in between: `Call.sendResultsTo.caller`, `Exception.Type.failed`. */
export function fieldsOf(schema: string): string[] {
  const fields: string[] = [];
  /** One entry for each open brace: the name that it adds, "" for an unnamed union. */
  const open: string[] = [];
  for (const line of schema.split("\n")) {
    const text = line.replace(/#.*/, "").trim();
    const block = /^(?:(?:struct|enum) (\w+)|(?:(\w+) :)?(?:union|group)) \{$/.exec(text);
    if (block !== null) open.push(block[1] ?? block[2] ?? "");
    else if (text === "}") open.pop();
    else {
      const field = /^(\w+) @\d+/.exec(text);
      if (field !== null) fields.push([...open, field[1]].filter((name) => name !== "").join("."));
    }
  }
  return fields;
}
