import { createHash } from 'node:crypto';
import type { Endpoint } from '../http/endpoint.ts';
import { groupDocument } from './group-document.ts';

export interface OpenApiDocument {
  readonly text: string;
  readonly hash: string;
}

/** The documents of all group versions, made when first asked for: most servers never are. */
export class OpenApiDocuments {
  readonly #endpoints: readonly Endpoint[];
  readonly #serverVersion: string;
  readonly #made = new Map<string, OpenApiDocument>();

  constructor(endpoints: readonly Endpoint[], serverVersion: string) {
    this.#endpoints = endpoints;
    this.#serverVersion = serverVersion;
  }

  /** `api/v1`, `apis/apps/v1`; undefined for what is not served. */
  document(name: string): OpenApiDocument | undefined {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const place = this.#endpoints.find((endpoint) => nameOf(endpoint) === name);
    if (place === undefined) return undefined;
    const text = JSON.stringify(groupDocument(this.#endpoints, place, this.#serverVersion));
    const document = { text, hash: createHash('sha256').update(text).digest('hex').toUpperCase() };
    this.#made.set(name, document);
    return document;
  }

  /** The index, whose addresses carry the documents' hashes: kubectl keeps a document as long as its hash stays. */
  index(): object {
    const names = [...new Set(this.#endpoints.map(nameOf))];
    const entries = names.map((name) => {
      const hash = this.document(name)?.hash ?? '';
      return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }] as const;
    });
    return { paths: Object.fromEntries(entries) };
  }
}

function nameOf({ group, version }: Pick<Endpoint, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}
