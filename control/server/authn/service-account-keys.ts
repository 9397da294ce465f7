import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** The P-256 keys of service account tokens: one signs, and every one that may still be about verifies. */
export interface ServiceAccountKeys {
  readonly signing: ServiceAccountKey & { readonly privateKey: KeyObject };
  readonly verifying: readonly ServiceAccountKey[];
}

interface ServiceAccountKey {
  /** The hash of the public key, so that it need not be kept anywhere. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
}

/** `retired` are public keys whose tokens are still good. */
export function serviceAccountKeys(privateKeyPem: string, retired: readonly string[] = []): ServiceAccountKeys {
  const privateKey = createPrivateKey(privateKeyPem);
  const signing = { ...keyOf(createPublicKey(privateKey)), privateKey };
  return { signing, verifying: [signing, ...retired.map((pem) => keyOf(createPublicKey(pem)))] };
}

function keyOf(publicKey: KeyObject): ServiceAccountKey {
  const hash = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' }));
  return { keyId: hash.digest('base64url'), publicKey };
}
