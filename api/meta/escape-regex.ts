/** Text that matches itself, for RE2. Proxies know a rewrite by the very expression that the control plane made of its prefix. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
