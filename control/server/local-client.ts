import type {
  Client,
  DeleteOptions,
  Draft,
  List,
  ListOptions,
  ObjectRef,
  PatchOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../../api/client/client.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../api/kinds/kind.ts';
import { CONTROL_PLANE } from './authn/user.ts';
import { createObject } from './verbs/create.ts';
import { deleteObject } from './verbs/delete.ts';
import { getObject } from './verbs/get.ts';
import { listObjects } from './verbs/list.ts';
import { refOf } from './verbs/object-key.ts';
import { patchObject } from './verbs/patch.ts';
import { applyScale, setScale } from './verbs/scale.ts';
import { applyObject } from './verbs/server-side-apply.ts';
import { updateObject } from './verbs/update.ts';
import type { VerbContext, WriteRequest } from './verbs/verb-context.ts';
import { watchObjects } from './verbs/watch.ts';

/**
 * The control plane's own way to objects: the verbs that HTTP requests reach, called in process. Objects are frozen and
 * shared with every other reader.
 */
export class LocalClient implements Client {
  readonly #verbs: VerbContext;

  constructor(verbs: VerbContext) {
    this.#verbs = verbs;
  }

  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T> {
    return getObject(this.#verbs, kind, ref);
  }

  list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<List<T>> {
    return listObjects(this.#verbs, kind, options);
  }

  async *watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    for await (const event of watchObjects(this.#verbs, kind, options)) {
      yield event.type === 'BOOKMARK' ? { type: 'BOOKMARK', resourceVersion: event.resourceVersion } : event;
    }
  }

  create<T extends KubeObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const input = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
    const { namespace } = object.metadata;
    return createObject(this.#verbs, kind, { ...writeRequest(options), namespace, input });
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return updateObject(this.#verbs, kind, { ...writeRequest(options), ref: refOf(object), input: object });
  }

  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const request = { ...writeRequest(options), ref: refOf(object), input: object };
    return updateObject(this.#verbs, kind, { ...request, subresource: 'status' });
  }

  async patch<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, patch: unknown, options: PatchOptions): Promise<T> {
    const { type, subresource } = options;
    const request = { ...writeRequest(options), ref };
    if (type === 'apply') {
      const door = subresource;
      const apply = { ...request, config: patch, force: options.force ?? false, requireCreate: () => undefined };
      return door === 'scale'
        ? ((await applyScale(this.#verbs, kind, apply)) as unknown as T)
        : (await applyObject(this.#verbs, kind, { ...apply, door })).object;
    }
    if (subresource !== 'scale') return await patchObject(this.#verbs, kind, { ...request, type, patch, subresource });
    // Over HTTP the answer is the Scale too, whatever kind it is of.
    return (await setScale(this.#verbs, kind, request, { type, patch })) as unknown as T;
  }

  async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    await deleteObject(this.#verbs, kind, { ...options, ref, user: CONTROL_PLANE });
  }
}

/** The name under which the control plane's own writes are owned, unless they say another. */
const FIELD_MANAGER = 'tutti-control';

/** Our own code means what it writes, and what it should know of an object it has been told before. */
function writeRequest(options: WriteOptions): WriteRequest {
  const { dryRun = false, fieldValidation = 'Strict', fieldManager = FIELD_MANAGER } = options;
  return { user: CONTROL_PLANE, dryRun, fieldValidation, fieldManager, warn: () => undefined };
}
