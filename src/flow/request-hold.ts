import type { Request } from './request.ts'

/** The right of this process to run requests of a store that others use too. */
export interface RequestHold {
  /** False once no request may go on here: another process may have it. */
  readonly isHeld: boolean
  /** Nothing of a request runs here any more: it has ended, or another process is to go on with it. */
  left(request: Request): void
}
