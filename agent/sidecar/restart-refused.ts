/** A proxy cannot be restarted now; the message says why. */
export class RestartRefused extends Error {
  override readonly name = 'RestartRefused';
}
