/** The import cannot begin: the message says why, in words for whoever called it. */
export class ImportProblem extends Error {
  override readonly name: string = 'ImportProblem'
  /** Of the command. */
  readonly exitCode: number = 1
}

/** Another import is at work. Another try is worth it, as `EX_TEMPFAIL` of `sysexits.h` says. */
export class ImportBusy extends ImportProblem {
  override readonly name = 'ImportBusy'
  override readonly exitCode = 75
}

export function messageOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  return message !== undefined && message !== '' ? message : (code ?? String(error))
}
