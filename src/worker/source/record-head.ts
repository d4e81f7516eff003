import { MillraceError, errorText } from '../../errors.ts'
import { NO_HEAD, type RecordHead } from '../../memory/heads.ts'
import { monotonicMs, wallMs } from '../../time.ts'

/** What a source says of all that comes of a record. */
export interface HeadMarks {
  readonly meta?: unknown
  /** In ms since 1970. */
  readonly expiresAt?: number | undefined
}

/**
 * The head of a record, as memory holds it.
 * @param room for `meta`, in bytes; undefined where the source has none
 * @throws META_INVALID
 */
export function recordHeadOf(node: string, { meta, expiresAt }: HeadMarks, room: number | undefined): RecordHead {
  if (meta === undefined && expiresAt === undefined) return NO_HEAD
  const refuse = (reason: string): MillraceError => new MillraceError('META_INVALID', { node, reason })
  if (room === undefined) throw refuse('the source has no `metaBytes`')
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw refuse('`expiresAt` is no finite number')
  const text = jsonOf(meta, refuse)
  const bytes = Buffer.from(text)
  if (bytes.length > room) throw refuse(`it takes ${bytes.length} bytes, and \`metaBytes\` is ${room}`)
  // 0 says that there is none.
  const expires = expiresAt === undefined ? 0 : monotonicMs() + (expiresAt - wallMs()) || Number.MIN_VALUE
  return { expiresAt: expires, meta: bytes }
}

function jsonOf(meta: unknown, refuse: (reason: string) => MillraceError): string {
  if (meta === undefined) return ''
  let text: string | undefined
  try {
    text = JSON.stringify(meta) as string | undefined
  } catch (error) {
    throw refuse(errorText(error).message)
  }
  if (text === undefined) throw refuse(`a ${typeof meta} is no data`)
  return text
}
