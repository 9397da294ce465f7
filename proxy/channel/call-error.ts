import { grpcStatusName } from '../grpc/status.ts';

/** Why a call ended, with gRPC's code and in the form that its libraries give. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: number;
  readonly details: string;

  constructor(code: number, details: string) {
    super(`${code} ${grpcStatusName(code)}: ${details}`);
    this.code = code;
    this.details = details;
  }
}
