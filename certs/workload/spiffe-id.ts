/** SPIFFE IDs (github.com/spiffe/spiffe, standards/SPIFFE-ID.md, section 2). */

export interface SpiffeId {
  readonly trustDomain: string;
  /** With its leading slash; empty for the id of a trust domain itself. */
  readonly path: string;
}

/** Section 2.3. */
const MAX_ID_LENGTH = 2048;
const MAX_TRUST_DOMAIN_LENGTH = 255;

const FORM = /^spiffe:\/\/([a-z0-9._-]+)((?:\/[A-Za-z0-9._-]+)*)$/;

/** The id's parts, or undefined when it is not one: no percent-encoding, no empty, `.` or `..` segment, no port. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  if (text.length > MAX_ID_LENGTH) return undefined;
  const [, trustDomain = '', path = ''] = FORM.exec(text) ?? [];
  if (trustDomain === '' || trustDomain.length > MAX_TRUST_DOMAIN_LENGTH) return undefined;
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  return { trustDomain, path };
}
