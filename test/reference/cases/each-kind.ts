import { type Case, get, patch, post, put, remove, table, watch } from '../case.ts';
import { collection, type DraftKind, draft, isCustom, KINDS, ownName } from './drafts.ts';

/* What is asked of every kind alike. */

export const eachKind: readonly Case[] = KINDS.flatMap((kind) => [life(kind), metadata(kind), strangers(kind)]);

function life(kind: DraftKind): Case {
  const name = `life-${kind.kind.toLowerCase()}`;
  const object = ownName(kind, 'web', name);
  const all = collection(kind);
  const one = `${all}/${object}`;
  const labels = { app: 'web', test: name };
  const full = draft(kind, { name: object, labels });
  const version = { name: object, labels, resourceVersion: '$(0.metadata.resourceVersion)' };
  return {
    name,
    calls: [
      post(all, full),
      get(one),
      post(all, full),
      post(all, draft(kind, { name: ownName(kind, 'dry', name) }), { path: `${all}?dryRun=All` }),
      get(`${all}/${ownName(kind, 'dry', name)}`),
      table(one),
      { ...table(`${all}?labelSelector=test%3D${name}`) },
      table(`${all}?labelSelector=test%3D${name}&includeObject=None`),
      { ...get(one), accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
      put(one, draft(kind, { name: object, labels, annotations: { note: 'unconditional' } })),
      put(one, draft(kind, { ...version, annotations: { note: 'stale' } })),
      patch('merge', one, { metadata: { annotations: { note: 'merged' } } }),
      patch('json', one, [{ op: 'add', path: '/metadata/labels/tier', value: 'front' }]),
      // Kubernetes has no such patch for custom kinds: what follows is not to hang on it.
      patch('strategic', isCustom(kind) ? `${one}?dryRun=All` : one, { metadata: { labels: { app: null } } }),
      patch('merge', one, { metadata: { labels: { tier: 'front' } } }),
      watch(`${all}?watch=1&resourceVersion=$(0.metadata.resourceVersion)&labelSelector=test%3D${name}`, 2),
      get(`${all}?labelSelector=test%3D${name}`),
      remove(`${one}?dryRun=All`),
      remove(one),
      get(one),
      remove(one),
    ],
  };
}

/** Names, labels, annotations and owners that may not be. */
function metadata(kind: DraftKind): Case {
  const name = `metadata-${kind.kind.toLowerCase()}`;
  const all = collection(kind);
  const object = ownName(kind, 'web', name);
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', uid: '11111111-1111-4111-8111-111111111111' };
  const bad: readonly object[] = [
    {},
    { name: 'Upper' },
    { name: 'under_score' },
    { name: '-dash' },
    { name: '1digit' },
    { name: 'dot.ted' },
    { name: 'x'.repeat(254) },
    { name: object, labels: { 'bad key': 'x' } },
    { name: object, labels: { ok: 'bad value' } },
    { name: object, labels: { '/x': 'y', ok: '-' } },
    { name: object, labels: { ok: 'x'.repeat(64) } },
    { name: object, annotations: { 'a/b/c': 'x' } },
    { name: object, finalizers: ['nodomain'] },
    { name: object, finalizers: ['Not Valid/x'] },
    { name: object, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: '', uid: '' }] },
    {
      name: object,
      ownerReferences: [
        { ...owner, name: 'a', controller: true },
        { ...owner, name: 'b', controller: true },
      ],
    },
    { name: object, resourceVersion: '5' },
    { name: object, namespace: 'another' },
    { name: object, generation: 7, uid: '22222222-2222-4222-8222-222222222222', selfLink: '/x' },
    { generateName: `${name}-` },
  ];
  return { name, calls: bad.map((each) => post(`${all}?dryRun=All`, draft(kind, each))) };
}

/** Bodies that are no object of the kind, and fields that it does not have. */
function strangers(kind: DraftKind): Case {
  const name = `strange-${kind.kind.toLowerCase()}`;
  const all = collection(kind);
  const object = ownName(kind, 'web', name);
  const strange = { ...draft(kind, { name: object, shape: 'round' }), colour: 'red' };
  return {
    name,
    calls: [
      post(`${all}?fieldValidation=Strict&dryRun=All`, strange),
      post(`${all}?fieldValidation=Warn&dryRun=All`, strange),
      post(`${all}?fieldValidation=Ignore&dryRun=All`, strange),
      post(`${all}?fieldValidation=Sometimes&dryRun=All`, strange),
      post(`${all}?dryRun=Some`, strange),
      post(all, { ...strange, kind: 'Other' }),
      post(all, { ...strange, apiVersion: 'other/v2' }),
      post(all, draft(kind, 'no object' as unknown as object)),
      post(all, '{"metadata":'),
      post(all, ''),
      post(all, '[]'),
      put(`${all}/${object}`, draft(kind, { name: object })),
      patch('merge', `${all}/${object}`, { metadata: { labels: { a: 'b' } } }),
      remove(`${all}/${object}`),
      get(`${all}/${object}`),
      post(`${all}/${object}`, draft(kind, { name: object })),
    ],
  };
}
