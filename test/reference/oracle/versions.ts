/** The Kubernetes whose API server is the oracle: the minor that control/server/http/version.ts says it is. */
export const KUBERNETES = '1.34.4';

/** The Gateway API whose CustomResourceDefinitions are given to it (the experimental channel: retry, sessionPersistence). */
export const GATEWAY_API = '1.5.1';
