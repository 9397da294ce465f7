/**
 * Finds the virtual host of an authority, in Envoy's order (route_components.proto, VirtualHost.domains): exact, longest
 * suffix (`*.example`), longest prefix (`web.*`), `*`. Names are compared in lower case.
 *
 * An authority is looked up as it came. If only `*` would take it and its port is the listener's own, it is looked up
 * again without the port (Envoy's strip_matching_host_port), so that `shop.example` serves `shop.example:8080` on 8080.
 */
export class DomainIndex<Host> {
  readonly #exact = new Map<string, Host>();
  readonly #suffixes: (readonly [suffix: string, host: Host])[] = [];
  readonly #prefixes: (readonly [prefix: string, host: Host])[] = [];
  #any: Host | undefined = undefined;

  /** The first host that claims a domain keeps it. */
  add(domain: string, host: Host): void {
    const name = domain.toLowerCase();
    if (name === '*') this.#any ??= host;
    else if (name.startsWith('*')) insertLongestFirst(this.#suffixes, name.slice(1), host);
    else if (name.endsWith('*')) insertLongestFirst(this.#prefixes, name.slice(0, -1), host);
    else if (!this.#exact.has(name)) this.#exact.set(name, host);
  }

  find(authority: string, listenerPort: number): Host | undefined {
    const named = this.#findNamed(authority);
    if (named !== undefined) return named;
    const port = `:${listenerPort}`;
    if (!authority.endsWith(port)) return this.#any;
    return this.#findNamed(authority.slice(0, -port.length)) ?? this.#any;
  }

  #findNamed(authority: string): Host | undefined {
    const exact = this.#exact.get(authority);
    if (exact !== undefined) return exact;
    for (const [suffix, host] of this.#suffixes) {
      if (authority.length > suffix.length && authority.endsWith(suffix)) return host;
    }
    for (const [prefix, host] of this.#prefixes) {
      if (authority.length > prefix.length && authority.startsWith(prefix)) return host;
    }
    return undefined;
  }
}

function insertLongestFirst<Host>(list: (readonly [string, Host])[], affix: string, host: Host): void {
  if (list.some(([known]) => known === affix)) return;
  const at = list.findIndex(([known]) => known.length < affix.length);
  list.splice(at < 0 ? list.length : at, 0, [affix, host]);
}
