import type { KubeObject } from '../../../api/kinds/kind.ts';
import type { Namespace } from '../../../api/kinds/namespace.ts';
import type { AdmissionRequest } from './admission.ts';

/** Holds a namespace that is being deleted until what is in it is gone (corev1.FinalizerKubernetes). */
const CONTENT_FINALIZER = 'kubernetes';
const NAME_LABEL = 'kubernetes.io/metadata.name';

/** The label by which selectors find a namespace, and the finalizer of its content (namespace strategy and defaults). */
export function admitNamespace(request: AdmissionRequest): KubeObject {
  const { kind, object, old } = request as AdmissionRequest<Namespace>;
  if (kind.group !== '' || kind.kind !== 'Namespace') return object;
  const labels = { ...object.metadata.labels, [NAME_LABEL]: object.metadata.name };
  const labelled: Namespace = { ...object, metadata: { ...object.metadata, labels } };
  if (old === undefined) {
    const given = (object.spec.finalizers ?? []).filter((name) => name !== CONTENT_FINALIZER);
    return withFinalizers(labelled, [...given, CONTENT_FINALIZER]);
  }
  // Only while it ends may the list grow shorter; who empties it is the controller of namespaces.
  if (old.metadata.deletionTimestamp !== undefined) return labelled;
  return withFinalizers(labelled, old.spec.finalizers ?? []);
}

function withFinalizers(namespace: Namespace, finalizers: string[]): Namespace {
  return { ...namespace, spec: { ...namespace.spec, finalizers } };
}
