// Whose standard output is.

/**
 * Sends what is written to standard output to standard error, until the function that this returns is called: the first
 * line on standard output says where the host listens, whatever Workers print while they load.
 */
export function withholdStandardOutput(): () => void {
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return () => {
    process.stdout.write = write;
  };
}
