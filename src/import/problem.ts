/** The import cannot begin: the message says why, in words for whoever called it. */
export class ImportProblem extends Error {
  override readonly name = 'ImportProblem'
}

export function messageOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return message !== undefined && message !== '' ? message : (code ?? String(error))
}
