import type * as control from '../control/index.ts'
import { MillraceError } from '../errors.ts'

/** The control API with what it needs, where that is installed. @throws CONTROL_NOT_INSTALLED */
export async function loadControl(): Promise<typeof control> {
  try {
    return await import('../control/index.ts')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new MillraceError('CONTROL_NOT_INSTALLED', { reason: (cause as Error).message.split('\n')[0] }, { cause })
  }
}
