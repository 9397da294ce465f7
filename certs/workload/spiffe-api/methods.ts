import {
  decodeX509SvidResponse,
  encodeX509BundlesResponse,
  encodeX509SvidResponse,
  type X509BundlesResponse,
  type X509SvidResponse,
} from './messages.ts';

/** Without it a request is refused: a web page that is made to ask for somebody else cannot set it (SPIFFE_Workload_Endpoint.md, section 6). */
export const SECURITY_HEADER = 'workload.spiffe.io';

/** Where workloads look for the socket, as `unix:///path` (SPIFFE_Workload_Endpoint.md, section 4). */
export const SOCKET_VARIABLE = 'SPIFFE_ENDPOINT_SOCKET';

/** Requests of these methods have no fields. */
type Empty = object;

interface ServerStreamMethod<Response> {
  readonly path: string;
  readonly requestStream: false;
  readonly responseStream: true;
  readonly requestSerialize: (message: Empty) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Empty;
  readonly responseSerialize: (message: Response) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

const EMPTY = Buffer.alloc(0);

function serverStream<Response>(
  name: string,
  encode: (message: Response) => Uint8Array,
  decode: (bytes: Uint8Array) => Response,
): ServerStreamMethod<Response> {
  return {
    path: `/SpiffeWorkloadAPI/${name}`,
    requestStream: false,
    responseStream: true,
    requestSerialize: () => EMPTY,
    requestDeserialize: () => ({}),
    responseSerialize: (message) => Buffer.from(encode(message)),
    responseDeserialize: decode,
  };
}

/** The X.509 profile (SPIFFE_Workload_API.md, section 5), in the form that @grpc/grpc-js takes for both sides. */
export const WorkloadApi = {
  fetchX509Svid: serverStream<X509SvidResponse>('FetchX509SVID', encodeX509SvidResponse, decodeX509SvidResponse),
  fetchX509Bundles: serverStream<X509BundlesResponse>('FetchX509Bundles', encodeX509BundlesResponse, () => {
    throw new Error('FetchX509Bundles: nobody here asks for it');
  }),
} as const;
