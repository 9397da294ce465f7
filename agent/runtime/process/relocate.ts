/** A path as the container means it, and where it is on the host. */
export interface Relocation {
  readonly from: string;
  readonly to: string;
}

// What may stand before and after a path within a longer text: `--config=/etc/app/x.json`, `/a:/b`, `"/a"`.
const BEFORE = /[\s=:,;"'([{|&<>]/;
const AFTER = /[/\s=:,;"')\]}|&<>]/;

/**
 * The text with each path that a container means replaced by the host's. A path counts where it stands alone in the text:
 * at the start or after a separator, up to the end, a slash or a separator. `/data` in `http://host/data` is left alone,
 * and so is `/database`. Of nested paths the longest wins.
 */
export function relocate(text: string, relocations: readonly Relocation[]): string {
  const longestFirst = relocations.toSorted((left, right) => right.from.length - left.from.length);
  let result = '';
  for (let at = 0; at < text.length; ) {
    const found = text[at] === '/' ? longestFirst.find(({ from }) => standsAt(text, at, from)) : undefined;
    result += found === undefined ? text[at] : found.to;
    at += found === undefined ? 1 : found.from.length;
  }
  return result;
}

function standsAt(text: string, at: number, path: string): boolean {
  const before = text[at - 1];
  const after = text[at + path.length];
  return (
    text.startsWith(path, at) &&
    (before === undefined || BEFORE.test(before)) &&
    (after === undefined || AFTER.test(after))
  );
}
