/** The pod whose sidecar the `start` scenario starts. */
export const OWN_POD = 'bench';
export const OWN_ADDRESS = '127.64.0.2';
/** Below the ports that systems give to outgoing connections. */
export const OWN_MESH_ADDRESS = '127.0.0.1:15008';
export const TRUST_DOMAIN = 'bench.local';
export const OWN_SPIFFE_ID = `spiffe://${TRUST_DOMAIN}/ns/default/sa/default`;
