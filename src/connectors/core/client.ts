import { errorText, MillraceError } from '../../errors.ts'

/**
 * Loads the client of a server: not before a worker needs it, and not in workers of other stages.
 * @throws CONNECTOR_NOT_INSTALLED
 */
export async function loadClient<T>(packages: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new MillraceError(
      'CONNECTOR_NOT_INSTALLED',
      { install: `npm install ${packages}`, reason: errorText(cause).message },
      { cause },
    )
  }
}
