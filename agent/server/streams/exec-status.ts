/** What the error channel ends with (apimachinery metav1.Status; kubelet's cri/streaming/remotecommand/exec.go). */
export function exitStatus(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

export function failureStatus(message: string): object {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}

/** What can not be, where the request as such was right. */
export function refusalStatus(message: string): object {
  return { metadata: {}, status: 'Failure', message, reason: 'BadRequest', code: 400 };
}
