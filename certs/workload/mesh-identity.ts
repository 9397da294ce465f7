/** Who this process is in the mesh, at one moment. A rotation makes a new one with the next generation. */
export interface MeshIdentity {
  /** Rises with each rotation; pools key their connections by it. */
  readonly generation: number;
  readonly spiffeId: string;
  /** Leaf first, then intermediates. */
  readonly certificateChainPem: string;
  readonly privateKeyPem: string;
  /** Every CA certificate that peers' chains may end in. */
  readonly trustBundlePem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}
