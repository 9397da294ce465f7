import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Gateway } from '../../api/kinds/gateway.ts';
import type { ManifestDocument } from '../manifests/read-manifests.ts';
import type { WantedPort } from './ports.ts';

/** The ports that the manifests' Gateways will bind on this machine: a taken one must be told before anything starts. */
export function gatewayPorts(documents: readonly ManifestDocument[]): WantedPort[] {
  return documents
    .filter(({ kind }) => kind.kind === 'Gateway')
    .flatMap(({ object, file }) =>
      (object as Gateway).spec.listeners.map(({ name, port }) => ({
        port,
        // Free on every address: that is where an ingress binds.
        address: '0.0.0.0',
        use: `Gateway ${object.metadata.name}, listener ${name}`,
        change: `change the listener's port in ${file}`,
      })),
    );
}

/** The folder of images beside each manifest, where there is one: `images/`, as `docker build` would find it. */
export function imageRootsBeside(manifests: readonly string[], cwd: string): string[] {
  const folders = manifests
    .filter((path) => path !== '-')
    .map((path) => resolve(cwd, path))
    .flatMap((path) => [join(path, 'images'), join(dirname(path), 'images')]);
  return [...new Set(folders)].filter((folder) => existsSync(folder));
}
