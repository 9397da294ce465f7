import { collectionPath, objectPath } from '../../api/client/paths.ts';
import type { Kind } from '../../api/kinds/kind.ts';
import { findKind, kinds } from '../../api/kinds/registry.ts';
import { nearest } from '../manifests/nearest.ts';
import { CommandError } from '../output/exit-codes.ts';

export interface ResourceArgument {
  readonly kind: Kind;
  readonly names: readonly string[];
}

/** Reads what kubectl reads: `pods`, `pod web`, `pod web db`, `pod/web`, `deploy/web svc/web`. */
export function parseResources(given: readonly string[]): ResourceArgument[] {
  const [first, ...rest] = given;
  if (first === undefined) {
    throw new CommandError('resource: none given', {
      exit: 'usage',
      hint: 'name a kind, such as "pods" or "deployment/web"',
    });
  }
  if (!given.some((argument) => argument.includes('/'))) {
    return first.split(',').flatMap((name) => resolveKinds(name).map((kind) => ({ kind, names: rest })));
  }
  return given.map((argument) => {
    const [kind = '', name = '', ...more] = argument.split('/');
    if (kind === '' || name === '' || more.length > 0) {
      throw new CommandError(`resource "${argument}": not of the form kind/name`, { exit: 'usage' });
    }
    return { kind: resolveKind(kind), names: [name] };
  });
}

/** One kind, or those of a category: `all` is pods, services, deployments and replicasets, as for kubectl. */
function resolveKinds(name: string): Kind[] {
  const category = kinds.filter(({ categories }) => categories.includes(name));
  return category.length > 0 ? category : [resolveKind(name)];
}

export function resolveKind(name: string): Kind {
  const kind = findKind(name);
  if (kind !== undefined) return kind;
  const known = kinds.map((each) => each.plural).sort();
  const meant = nearest(name, [...known, ...kinds.map((each) => each.singular)]);
  throw new CommandError(`kind "${name}": not known${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`, {
    exit: 'usage',
    hint: `one of ${known.join(', ')}`,
  });
}

/** A kind's collection path, or an object's when a name is given. */
export function resourcePath(kind: KindAddress, namespace: string | undefined, name?: string): string {
  if (name === undefined) return collectionPath(kind, namespace);
  return objectPath(kind, namespace === undefined ? { name } : { namespace, name });
}

type KindAddress = Pick<Kind, 'group' | 'version' | 'plural' | 'namespaced'>;

/** `deployment.apps/web`, as kubectl names an object. */
export function resourceName(kind: Kind, name: string): string {
  return `${kind.singular}${kind.group === '' ? '' : `.${kind.group}`}/${name}`;
}
