export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

/** `unix:///path` or `unix:/path`, `host:port`, `[address]:port`; undefined when it is none of them. */
export function parseTarget(address: string): Target | undefined {
  const [, path] = /^unix:(?:\/\/)?(\/.+)$/.exec(address) ?? [];
  if (path !== undefined) return { path };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
