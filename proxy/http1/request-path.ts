/**
 * The one policy for paths, applied before matching, and what is matched is what is forwarded (a check and the
 * application must not see two different paths):
 *
 * - dot segments, also percent-encoded ones, are resolved (RFC 3986 section 5.2.4; Envoy's normalize_path);
 * - `%00`, encodings that are no encodings, and overlong UTF-8 are refused;
 * - everything else stays as it came: `//`, `%2F`, `%5C`, `;x` and the case of hexadecimal digits.
 *
 * Undefined: refused.
 */
export function normalizePath(path: string): string | undefined {
  const encoded = path.includes('%');
  if (encoded && !hasSoundEncodings(path)) return undefined;
  if (!path.includes('/.') && !(encoded && /%2e/i.test(path))) return path;
  return resolveDotSegments(path);
}

/** Each `%` has two digits, none is NUL, and no byte can only be an overlong form (RFC 3629 section 3). */
function hasSoundEncodings(path: string): boolean {
  return !/%(?![0-9a-f]{2})|%00|%c[01]|%e0%[89]|%f0%8/i.test(path);
}

function resolveDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  segments.forEach((segment, index) => {
    const plain = segment.replace(/%2e/gi, '.');
    const last = index === segments.length - 1;
    if (plain === '.' || plain === '..') {
      if (plain === '..') kept.pop();
      if (last) kept.push('');
    } else kept.push(segment);
  });
  return `/${kept.join('/')}`;
}
