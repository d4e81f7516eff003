import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { MillraceError } from '../errors.ts'

/** Who may ask: everyone for what is open, else whoever has the token, where one is set. */
export type Access = 'open' | 'read' | 'command'

/** Looks at who asks. @throws TOKEN_MISSING, TOKEN_WRONG, ORIGIN_REFUSED */
export type Guard = (headers: IncomingHttpHeaders, access: Access) => void

/**
 * Without a token, a name that is neither this machine's nor among `hosts` is refused, wherever the API is mounted: a page
 * elsewhere can point a name of its own at this machine, and would then be of the same origin.
 */
export function guardOf({ token, hosts = [] }: { readonly token?: string; readonly hosts?: readonly string[] }): Guard {
  const names = new Set(hosts.map((name) => nameOf(name)))
  // Nearly all requests of a server name the same host, and reading a name costs more than all the rest here.
  let accepted: string | undefined
  const wanted = token === undefined ? undefined : digest(token)
  return (headers, access) => {
    if (access === 'open') return
    if (wanted === undefined && (accepted === undefined || headers.host !== accepted)) {
      refuseForeignHost(headers.host, names)
      accepted = headers.host
    }
    if (access === 'command') refuseForeignOrigin(headers)
    if (wanted !== undefined) checkToken(headers.authorization, wanted)
  }
}

function checkToken(authorization: string | undefined, wanted: Buffer): void {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (given === undefined) throw new MillraceError('TOKEN_MISSING')
  // Digests are of one length, so the time tells neither the token nor its length.
  if (!timingSafeEqual(digest(given), wanted)) throw new MillraceError('TOKEN_WRONG')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Browsers say which page asks; without a token that is all that keeps other pages from acting. */
function refuseForeignOrigin({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw new MillraceError('ORIGIN_REFUSED')
  if (origin === undefined) return
  const from = URL.canParse(origin) ? new URL(origin).host : undefined
  if (from === undefined || from !== host) throw new MillraceError('ORIGIN_REFUSED')
}

function refuseForeignHost(host: string | undefined, names: ReadonlySet<string>): void {
  const name = nameOf(host ?? '')
  if (!isLoopback(name) && !names.has(name)) throw new MillraceError('ORIGIN_REFUSED')
}

/** The name of a host, without its port; empty where it is none. */
function nameOf(host: string): string {
  const url = `http://${host}`
  return URL.canParse(url) ? new URL(url).hostname : ''
}

/** Whether a name or an address can only mean this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
