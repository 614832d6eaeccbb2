// What is wrong with a configuration file, for the person who wrote it.

/**
 * A Worker's configuration can't be used, or the options of `serve()` can't.
 *
 * `message` has one line for each problem, and each line starts with the file as the user named it, e.g.
 * `worker-a/wrangler.toml: services[0]: unknown key "servce" (did you mean "service"?)`, or with
 * `file:line:column` (both from 1) where the text itself is malformed.
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** The file or folder, as the user named it; `serve()` for its options. */
  readonly file: string;

  /** @param problems one line each, without the file; at least one. */
  constructor(file: string, problems: readonly string[], options?: ErrorOptions) {
    super(problems.map((problem) => `${file}: ${problem}`).join("\n"), options);
    this.file = file;
  }

  /** The text of the file is malformed at `line`:`column`, both counted from 1. */
  static at(file: string, line: number, column: number, problem: string, options?: ErrorOptions): ConfigError {
    return new ConfigError(`${file}:${line}:${column}`, [problem], options);
  }
}
