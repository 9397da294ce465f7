import { readTextIfPresent, writeFileAtomic } from '../../kit/disk.ts';
import type { RawResources } from './configuration.ts';
import { RESOURCE_KINDS } from './resource-kind.ts';

/** Raised when an older file cannot be read any more. */
const FORMAT = 1;

/**
 * Keeps the configuration that last worked, so that a proxy starts while the control plane is away. Resources are kept as
 * they came. The file may hold a Gateway's private keys: it is for its owner alone.
 */
export async function writeLastGood(path: string, raw: RawResources): Promise<void> {
  const encode = (all: readonly Uint8Array[]): readonly string[] =>
    all.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64'));
  const resources = Object.fromEntries(RESOURCE_KINDS.map((kind) => [kind, encode(raw[kind])]));
  await writeFileAtomic(path, `${JSON.stringify({ format: FORMAT, resources })}\n`, { mode: 0o600 });
}

/** Undefined when there is none, or none that can be read: then only the control plane can tell. */
export async function readLastGood(path: string): Promise<RawResources | undefined> {
  const text = await readTextIfPresent(path);
  if (text === undefined) return undefined;
  let kept: { readonly format?: unknown; readonly resources?: Readonly<Record<string, unknown>> } | null;
  try {
    kept = JSON.parse(text) as typeof kept;
  } catch {
    return undefined;
  }
  if (kept?.format !== FORMAT) return undefined;
  const decode = (all: unknown): readonly Uint8Array[] =>
    Array.isArray(all) ? all.map((one) => Buffer.from(String(one), 'base64')) : [];
  return {
    cluster: decode(kept.resources?.['cluster']),
    endpoints: decode(kept.resources?.['endpoints']),
    listener: decode(kept.resources?.['listener']),
    route: decode(kept.resources?.['route']),
  };
}
