import type { Client, Draft, ObjectRef } from '../../api/client/client.ts';
import type { Kind, KubeObject } from '../../api/kinds/kind.ts';
import { kinds } from '../../api/kinds/registry.ts';
import { ApiError, hasCode } from '../../api/meta/api-error.ts';
import { type JsonObject, sameJson } from '../../api/patch/json.ts';
import { patchSchemaOf } from '../../api/patch/patch-schema.ts';
import { lastAppliedOf, threeWayStrategicPatch, withLastApplied } from '../../api/patch/three-way-patch.ts';
import { resourceName } from '../cluster/resources.ts';
import { checkReferences, keyOf, type Reference, referencesOf } from './check-references.ts';
import { refuseProblems } from './checked.ts';
import { formatProblem, type ManifestProblem } from './problem.ts';
import { documentName, type ManifestDocument } from './read-manifests.ts';

export type Verb = 'created' | 'configured' | 'unchanged';

export interface Applied {
  /** `deployment.apps/web` */
  readonly name: string;
  readonly verb: Verb;
}

export interface ApplyOptions {
  readonly client: Client;
  readonly documents: readonly ManifestDocument[];
  /** For documents that name none. */
  readonly namespace: string;
  readonly onResult: (applied: Applied) => void;
  readonly onWarning: (warning: string) => void;
  /** Only find out what would be done. */
  readonly dryRun?: boolean;
}

// Foundations first: what comes later names what comes earlier. Kinds that are not listed come with the workloads.
const ORDER = [
  'Namespace',
  'ServiceAccount',
  'ConfigMap',
  'Secret',
  'Service',
  'Deployment',
  'GatewayClass',
  'Gateway',
  'HTTPRoute',
];

interface Change {
  readonly document: ManifestDocument;
  readonly verb: Verb;
  /** What is there now; undefined when nothing is. */
  readonly live: KubeObject | undefined;
  readonly write: (dryRun: boolean) => Promise<KubeObject>;
}

/**
 * Applies documents as `kubectl apply` does: what the manifest says is set, what an earlier one said and this one does not is
 * removed, what others have set stays. Every change is first tried as a dry run; when the server refuses one, or a
 * reference leads nowhere, CommandError tells all problems with their place, and nothing is applied.
 */
export async function applyDocuments(options: ApplyOptions): Promise<void> {
  const documents = inOrder(options.documents.map((document) => withNamespace(document, options.namespace)));
  const problems = checkReferences(documents, await knownReferences(options.client, documents));
  refuseProblems(problems, documents);
  for (const warning of problems) options.onWarning(formatProblem(warning));

  const tried = await tryAll(await Promise.all(documents.map((document) => plan(options.client, document))));
  refuseProblems(
    tried.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
    documents,
  );
  for (const { change, verb } of tried) {
    if (verb !== 'unchanged' && options.dryRun !== true) await change.write(false);
    options.onResult({ name: resourceName(change.document.kind, change.document.object.metadata.name), verb });
  }
}

async function plan(client: Client, document: ManifestDocument): Promise<Change> {
  const { kind, object } = document;
  const ref = refOf(kind, object);
  const live = await getIfThere(client, kind, ref);
  const wanted = withLastApplied(asJson(object));
  const options = (dryRun: boolean) => ({ dryRun, fieldManager: 'tutti-apply', fieldValidation: 'Strict' as const });
  if (live === undefined) {
    return {
      document,
      verb: 'created',
      live: undefined,
      write: (dryRun) => client.create(kind, wanted as unknown as Draft<KubeObject>, options(dryRun)),
    };
  }
  const liveJson = asJson(live);
  const patch = threeWayStrategicPatch(
    { lastApplied: lastAppliedOf(liveJson), wanted, live: liveJson },
    patchSchemaOf(kind.schema),
  );
  const verb = Object.keys(patch).length === 0 ? 'unchanged' : 'configured';
  return {
    document,
    verb,
    live,
    write: (dryRun) => client.patch(kind, ref, patch, { type: 'strategic', ...options(dryRun) }),
  };
}

interface Tried {
  readonly change: Change;
  readonly verb: Verb;
  readonly problem?: ManifestProblem;
}

/** What the server says to each change without making it. Objects of a namespace that is made in the same run are let pass. */
async function tryAll(changes: readonly Change[]): Promise<Tried[]> {
  const made = new Set(
    changes
      .filter(({ document, verb }) => document.kind.kind === 'Namespace' && verb === 'created')
      .map(({ document }) => document.object.metadata.name),
  );
  return await Promise.all(
    changes.map(async (change): Promise<Tried> => {
      const { document, verb, live, write } = change;
      if (verb === 'unchanged' || made.has(document.object.metadata.namespace ?? '')) return { change, verb };
      try {
        const written = await write(true);
        // Defaults inside a list that is replaced whole make a patch of what is no change; the server knows better.
        return { change, verb: live !== undefined && sameJson(asJson(written), asJson(live)) ? 'unchanged' : verb };
      } catch (error) {
        if (!(error instanceof ApiError) || error.code < 400 || error.code >= 500) throw error;
        return { change, verb, problem: refusal(document, error) };
      }
    }),
  );
}

function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject;
}

function refusal(document: ManifestDocument, { message }: ApiError): ManifestProblem {
  const { file, index, locate } = document;
  return { severity: 'error', file, document: index, ...locate([]), subject: documentName(document), message };
}

async function knownReferences(
  client: Client,
  documents: readonly ManifestDocument[],
): Promise<(reference: Reference) => boolean> {
  const found = new Set<string>();
  const wanted = new Map(documents.flatMap(referencesOf).map((reference) => [keyOf(reference), reference]));
  await Promise.all(
    [...wanted.values()].map(async ({ kind: name, namespace, name: object }) => {
      const kind = kinds.find((each) => each.kind === name);
      // A kind that is not ours (a route may name any) cannot be looked up here; the server has the last word.
      if (kind === undefined || (await getIfThere(client, kind, { namespace, name: object })) !== undefined)
        found.add(keyOf({ kind: name, namespace, name: object }));
    }),
  );
  return (reference) => found.has(keyOf(reference));
}

async function getIfThere(client: Client, kind: Kind, ref: ObjectRef): Promise<KubeObject | undefined> {
  try {
    return await client.get(kind, ref);
  } catch (error) {
    if (hasCode(error, 404)) return undefined;
    throw error;
  }
}

function withNamespace(document: ManifestDocument, namespace: string): ManifestDocument {
  const { kind, object } = document;
  if (!kind.namespaced || object.metadata.namespace !== undefined) return document;
  return { ...document, object: { ...object, metadata: { ...object.metadata, namespace } } };
}

function inOrder(documents: readonly ManifestDocument[]): ManifestDocument[] {
  const rank = ({ kind }: ManifestDocument): number => {
    const at = ORDER.indexOf(kind.kind);
    return at < 0 ? ORDER.indexOf('Deployment') : at;
  };
  return documents.toSorted((one, other) => rank(one) - rank(other));
}

function refOf({ namespaced }: Kind, { metadata }: KubeObject): ObjectRef {
  return namespaced ? { namespace: metadata.namespace ?? 'default', name: metadata.name } : { name: metadata.name };
}
