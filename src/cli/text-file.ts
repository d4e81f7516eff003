import { writeFile } from 'node:fs/promises'
import { MillraceError } from '../errors.ts'

/** @param flag `wx`: fails where the file is there. @throws FILE_NOT_WRITTEN */
export async function writeTextFile(file: string, text: string, flag: 'w' | 'wx' = 'w'): Promise<void> {
  try {
    await writeFile(file, text, { flag })
  } catch (cause) {
    throw new MillraceError('FILE_NOT_WRITTEN', { file, reason: String(cause) }, { cause })
  }
}
