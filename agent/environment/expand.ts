/**
 * Kubernetes' expansion: `$(NAME)` becomes the variable's value, `$$` a single `$`, and what names no variable stays as it
 * is (k8s.io/kubernetes/third_party/forked/golang/expansion).
 */
export function expand(text: string, valueOf: (name: string) => string | undefined): string {
  let result = '';
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const reference = /^\$\(([^)]*)\)/.exec(rest);
    if (rest.startsWith('$$')) {
      result += '$';
      at += 2;
    } else if (reference !== null) {
      result += valueOf(reference[1] ?? '') ?? reference[0];
      at += reference[0].length;
    } else {
      result += text[at];
      at++;
    }
  }
  return result;
}
