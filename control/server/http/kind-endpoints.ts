import type { ObjectRef } from '../../../api/client/client.ts';
import type { GroupVersionKind, Kind, KubeObject } from '../../../api/kinds/kind.ts';
import { ApiError, hasCode } from '../../../api/meta/api-error.ts';
import { isObject } from '../../../api/patch/json.ts';
import type { Logger } from '../../../kit/log.ts';
import { requireAllowed } from '../authz/authorize.ts';
import { createObject } from '../verbs/create.ts';
import { deleteObject } from '../verbs/delete.ts';
import { deleteCollection } from '../verbs/delete-collection.ts';
import { getObject } from '../verbs/get.ts';
import { listObjects } from '../verbs/list.ts';
import { patchObject } from '../verbs/patch.ts';
import { applyScale, getScale, setScale } from '../verbs/scale.ts';
import { applyObject } from '../verbs/server-side-apply.ts';
import { updateObject } from '../verbs/update.ts';
import type { VerbContext } from '../verbs/verb-context.ts';
import { watchObjects } from '../verbs/watch.ts';
import { sendBody, sendList, sendObject } from './answer.ts';
import { deletedStatus } from './deleted-status.ts';
import type { ApiCall, Endpoint, Handler } from './endpoint.ts';
import type { OpenWatches } from './open-watches.ts';
import { patchBody } from './patch-body.ts';
import { deleteOptions, listOptions, watchOptions } from './query-options.ts';
import { streamWatch } from './watch-stream.ts';
import { writeBody, writeRequest } from './write-body.ts';

export interface KindServing {
  readonly verbs: VerbContext;
  readonly watches: OpenWatches;
  readonly log: Logger;
}

/** The endpoints of a kind: the resource with its verbs, and its subresources status, scale and finalize. */
export function kindEndpoints<T extends KubeObject>(serving: KindServing, kind: Kind<T>): readonly Endpoint[] {
  const live = serving.verbs.live.find(kind) !== undefined;
  const reads: Record<string, Handler> = {
    get: async (call) =>
      sendObject(call.reply, kind, await getObject(serving.verbs, kind, refIn(kind, call)), call.form()),
    list: (call) => list(serving, kind, call),
  };
  if (live) return [endpoint(kind, '', kind, reads)];
  const writes: Record<string, Handler> = {
    watch: (call) => watch(serving, kind, call),
    create: (call) => create(serving, kind, call),
    update: (call) => update(serving, kind, call, {}),
    patch: (call) => patch(serving, kind, call, {}),
    delete: (call) => remove(serving, kind, call),
    ...(isNamespace(kind) ? {} : { deletecollection: (call: ApiCall) => removeAll(serving, kind, call) }),
  };
  return [
    endpoint(kind, '', kind, { ...reads, ...writes }),
    ...(kind.subresources.includes('status') ? [statusEndpoint(serving, kind, reads)] : []),
    ...(kind.subresources.includes('scale') ? [scaleEndpoint(serving, kind)] : []),
    ...(isNamespace(kind)
      ? [endpoint(kind, 'finalize', kind, { update: (call) => update(serving, kind, call, {}) })]
      : []),
  ];
}

/** All that is in a cluster goes with its namespaces: nobody deletes them in one go. */
function isNamespace({ group, kind }: Pick<Kind, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Namespace';
}

function statusEndpoint<T extends KubeObject>(
  serving: KindServing,
  kind: Kind<T>,
  { get }: Readonly<Record<string, Handler>>,
): Endpoint {
  return endpoint(kind, 'status', kind, {
    ...(get === undefined ? {} : { get }),
    update: (call) => update(serving, kind, call, { subresource: 'status' }),
    patch: (call) => patch(serving, kind, call, { subresource: 'status' }),
  });
}

function scaleEndpoint<T extends KubeObject>({ verbs }: KindServing, kind: Kind<T>): Endpoint {
  const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  return endpoint(kind, 'scale', scale, {
    get: async (call) => {
      sendBody(call.reply, await getScale(verbs, kind, refIn(kind, call)), call.form().representation);
    },
    update: async (call) => {
      const request = { ...writeRequest(call), ref: refIn(kind, call) };
      const set = await setScale(verbs, kind, request, { input: namedBody(call, scale) });
      sendBody(call.reply, set, call.form().representation);
    },
    patch: async (call) => {
      const request = { ...writeRequest(call), ref: refIn(kind, call) };
      const body = patchBody(call, scale);
      const set =
        body.type === 'apply'
          ? await applyScale(verbs, kind, { ...request, ...body, requireCreate: requireCreate(call) })
          : await setScale(verbs, kind, request, body);
      sendBody(call.reply, set, call.form().representation);
    },
  });
}

function endpoint<T extends KubeObject>(
  kind: Kind<T>,
  subresource: string,
  responseKind: Endpoint['responseKind'],
  verbs: Endpoint['verbs'],
): Endpoint {
  const { group, version, plural, namespaced, singular, shortNames, categories } = kind;
  return {
    group,
    version,
    resource: plural,
    subresource,
    namespaced,
    responseKind: { group: responseKind.group, version: responseKind.version, kind: responseKind.kind },
    singular: subresource === '' ? singular : '',
    shortNames: subresource === '' ? shortNames : [],
    categories: subresource === '' ? categories : [],
    verbs,
    kind: kind as unknown as Kind,
  };
}

function refIn<T extends KubeObject>({ namespaced }: Kind<T>, { info: { name, namespace } }: ApiCall): ObjectRef {
  return namespaced ? { name, namespace } : { name };
}

function namespaceIn<T extends KubeObject>({ namespaced }: Kind<T>, { info }: ApiCall): string | undefined {
  return namespaced && info.namespace !== '' ? info.namespace : undefined;
}

async function list<T extends KubeObject>({ verbs }: KindServing, kind: Kind<T>, call: ApiCall): Promise<void> {
  const request = { ...listOptions(call.query), namespace: namespaceIn(kind, call) };
  const form = call.form();
  sendList(call.reply, kind, await listObjects(verbs, kind, request), form);
}

async function watch<T extends KubeObject>(serving: KindServing, kind: Kind<T>, call: ApiCall): Promise<void> {
  const { verbs, watches, log } = serving;
  const { bookmarks, timeoutSeconds, ...options } = watchOptions(call.query);
  const form = call.form();
  const open = watches.begin(call.user.name);
  const { raw } = call.reply;
  const timer = timeoutSeconds === undefined ? undefined : verbs.clock.timer(timeoutSeconds * 1000, () => open.abort());
  raw.once('close', () => open.abort());
  try {
    const request = { ...options, namespace: namespaceIn(kind, call), signal: open.signal };
    const events = watchObjects(verbs, kind, request);
    call.reply.hijack();
    await streamWatch({ kind, events, response: raw, form, bookmarks, clock: verbs.clock });
  } catch (error) {
    if (!call.reply.sent) throw error;
    log.error({ error, resource: kind.plural }, 'watch failed');
  } finally {
    timer?.stop();
    watches.end(open);
  }
}

async function create<T extends KubeObject>({ verbs }: KindServing, kind: Kind<T>, call: ApiCall): Promise<void> {
  const form = call.form();
  const input = writeBody(call, kind);
  const namespace = namespaceIn(kind, call);
  const created = await createObject(verbs, kind, { ...writeRequest(call), namespace, input });
  sendObject(call.reply.code(201), kind, created, form);
}

interface Part {
  readonly subresource?: 'status';
}

async function update<T extends KubeObject>(
  { verbs }: KindServing,
  kind: Kind<T>,
  call: ApiCall,
  part: Part,
): Promise<void> {
  const form = call.form();
  const request = { ...writeRequest(call), ...part, ref: refIn(kind, call), input: namedBody(call, kind) };
  try {
    sendObject(call.reply, kind, await updateObject(verbs, kind, request), form);
  } catch (error) {
    if (!kind.createdByPut || part.subresource !== undefined || !hasCode(error, 404)) throw error;
    requireCreate(call)();
    const input = withoutVersion(request.input);
    const created = await createObject(verbs, kind, { ...request, input, namespace: namespaceIn(kind, call) });
    sendObject(call.reply.code(201), kind, created, form);
  }
}

/** Of an object that is there no more: the new one begins anew. */
function withoutVersion(input: unknown): unknown {
  if (!isObject(input) || !isObject(input['metadata'])) return input;
  const { resourceVersion: _, ...metadata } = input['metadata'];
  return { ...input, metadata };
}

/** The body of a PUT, which says itself which object it is (checkName of k8s.io/apiserver/pkg/endpoints/handlers). */
function namedBody(call: ApiCall, kind: GroupVersionKind): unknown {
  const body = writeBody(call, kind);
  const { metadata } = isObject(body) ? body : {};
  const name = isObject(metadata) ? metadata['name'] : undefined;
  const { name: asked } = call.info;
  if (isObject(body) && !name) {
    throw ApiError.badRequest(
      `the name of the object (${asked} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (typeof name === 'string' && name !== asked)
    throw ApiError.badRequest(`the name of the object (${name}) does not match the name on the URL (${asked})`);
  return body;
}

async function patch<T extends KubeObject>(
  { verbs }: KindServing,
  kind: Kind<T>,
  call: ApiCall,
  part: Part,
): Promise<void> {
  const form = call.form();
  const request = { ...writeRequest(call), ref: refIn(kind, call) };
  const body = patchBody(call, kind);
  if (body.type !== 'apply') {
    sendObject(call.reply, kind, await patchObject(verbs, kind, { ...request, ...part, ...body }), form);
    return;
  }
  const apply = { ...request, ...body, door: part.subresource, requireCreate: requireCreate(call) };
  const { object, created } = await applyObject(verbs, kind, apply);
  sendObject(call.reply.code(created ? 201 : 200), kind, object, form);
}

/** To apply what is not there takes the right to create it, beside the one to patch. */
function requireCreate({ user, info }: ApiCall): () => void {
  return () => requireAllowed(user, { ...info, verb: 'create' });
}

async function remove<T extends KubeObject>({ verbs }: KindServing, kind: Kind<T>, call: ApiCall): Promise<void> {
  const form = call.form();
  const options = deleteOptions(call.query, call.body()?.value);
  const { object, removed } = await deleteObject(verbs, kind, { ...options, ref: refIn(kind, call), user: call.user });
  if (!removed || isShownWhenDeleted(kind)) sendObject(call.reply, kind, object, form);
  else sendBody(call.reply, deletedStatus(kind, object.metadata), form.representation);
}

/** Whose last state is the answer to their deletion (ReturnDeletedObject of their registries); held ones come back anyway. */
function isShownWhenDeleted({ group, kind }: Pick<Kind, 'group' | 'kind'>): boolean {
  return group === '' && ['Namespace', 'Pod', 'Service', 'ServiceAccount'].includes(kind);
}

async function removeAll<T extends KubeObject>({ verbs }: KindServing, kind: Kind<T>, call: ApiCall): Promise<void> {
  const form = call.form();
  const { preconditions, ...options } = deleteOptions(call.query, call.body()?.value);
  if (preconditions !== undefined) throw ApiError.badRequest('preconditions are not for a collection');
  const namespace = namespaceIn(kind, call);
  const request = { ...listOptions(call.query), ...options, namespace, user: call.user };
  sendList(call.reply, kind, await deleteCollection(verbs, kind, request), form);
}
