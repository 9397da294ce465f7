/** `registry/name:tag@digest`, taken apart. */
export interface ImageName {
  /** Without the registry's host. */
  readonly path: string;
  readonly tag: string | undefined;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * Reads an image reference by the grammar of github.com/distribution/reference; undefined when it is none. A first
 * component with a dot or a port, or `localhost`, is a registry's host, which an image folder does not have.
 */
export function parseImageName(image: string): ImageName | undefined {
  const [name = '', digest] = image.split('@');
  if (digest !== undefined && !/^[a-z0-9]+:[0-9a-f]{32,}$/.test(digest)) return undefined;
  const [, path = '', tag] = /^(.*?)(?::([^:/]*))?$/.exec(name) ?? [];
  const components = path.split('/');
  const [first = ''] = components;
  const hasHost = components.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  const rest = hasHost ? components.slice(1) : components;
  if (!rest.every((component) => COMPONENT.test(component))) return undefined;
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  return { path: rest.join('/'), tag };
}
