/**
 * What Node warns of while this runs is not printed: that something is experimental, or deprecated, where we know what we do and have a way
 * without it. Whoever runs a proxy can do nothing with such a word.
 */
export function withoutWarning<T>(run: () => T): T {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return run();
  } finally {
    process.emitWarning = warn;
  }
}
