/** On an EndpointSlice: the Service that it is of (discovery/v1 well_known_labels.go). */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** On an EndpointSlice: who writes it. Slices of others are left alone. */
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const MANAGED_BY = 'endpointslice-controller.k8s.io';

/** On an EndpointSlice of a Service without a virtual address. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
