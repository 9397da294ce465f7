import type { CompiledEdits } from './header-edits.ts';
import { compileValue, type RoutedRequest } from './match.ts';
import type { CorsPolicy } from './route-table.ts';

/** What a policy says to one request. */
export type CorsVerdict =
  /** A browser asks what it may: answered here, with these lines. */
  | { readonly kind: 'preflight'; readonly lines: string }
  /** The app's answer gets these edits, one of ours these lines. */
  | { readonly kind: 'answer'; readonly edits: CompiledEdits; readonly lines: string };

/** Undefined of a request that no page of another origin made, or none that may. */
export type Cors = (request: RoutedRequest) => CorsVerdict | undefined;

/** The policy decides these, not the app. `Vary` is added beside the app's own, since the answer depends on who asks (Fetch, CORS protocol and HTTP caches). */
const DECIDED = ['access-control-allow-origin', 'access-control-allow-credentials', 'access-control-expose-headers'];

/** `edits` are the route's own of an answer; the policy's come after them, as Envoy's filter does. Throws when an expression is not RE2's. */
export function compileCors(policy: CorsPolicy, edits: CompiledEdits | undefined): Cors {
  const origins = policy.origins.map((match) => compileValue(match, (request) => request.header('origin')));
  const removes = new Set([...(edits?.removes ?? []), ...DECIDED]);
  const kept = withoutDecided(edits?.adds ?? '');
  const credentials = line('access-control-allow-credentials', policy.credentials ? 'true' : '');
  const exposed = line('access-control-expose-headers', policy.exposeHeaders);
  const maxAge = line('access-control-max-age', policy.maxAge);
  return (request) => {
    const origin = request.header('origin');
    if (origin === undefined || origin === '') return undefined;
    const allowed = origins.some((takes) => takes(request));
    const method = request.method === 'OPTIONS' ? (request.header('access-control-request-method') ?? '') : '';
    if (method === '') {
      if (!allowed) return undefined;
      const lines = `access-control-allow-origin: ${origin}\r\n${credentials}${exposed}vary: origin\r\n`;
      return { kind: 'answer', edits: { removes, adds: kept + lines }, lines };
    }
    if (!allowed) return policy.forwardStrangers ? undefined : { kind: 'preflight', lines: 'vary: origin\r\n' };
    const methods = policy.methods === '*' ? method : policy.methods;
    const headers = policy.headers === '*' ? (request.header('access-control-request-headers') ?? '') : policy.headers;
    const lines =
      `access-control-allow-origin: ${origin}\r\n${credentials}` +
      `${line('access-control-allow-methods', methods)}${line('access-control-allow-headers', headers)}${maxAge}vary: origin\r\n`;
    return { kind: 'preflight', lines };
  };
}

function line(name: string, value: string): string {
  return value === '' ? '' : `${name}: ${value}\r\n`;
}

function withoutDecided(lines: string): string {
  return lines
    .split(/(?<=\r\n)/)
    .filter((text) => !DECIDED.some((name) => text.toLowerCase().startsWith(`${name}:`)))
    .join('');
}
